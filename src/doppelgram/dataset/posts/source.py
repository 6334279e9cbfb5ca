"""What somebody gave as posts: a file or folder, looked through once, with the records in its JSON and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from doppelgram.dataset.archives import unpacked
from doppelgram.dataset.left import LeftAside
from doppelgram.dataset.listing import Listing, list_files
from doppelgram.dataset.records.fields import Facts
from doppelgram.dataset.records.json_files import Broken, is_json, read_json
from doppelgram.dataset.records.pictures import Pictures
from doppelgram.dataset.tables import TABLE_ENDINGS, Table, read_table
from doppelgram.errors import DoppelgramError


@dataclass(frozen=True, slots=True)
class Record:
    """A post as a file tells it.

    Attributes:
        where: what to call it in a sentence.
        facts: what its fields say.
        beside: whether its pictures lie beside the file and go by its name.
        why_not: why it is left aside although it is understood; empty if it is not.
    """

    where: str
    facts: Facts
    beside: bool = False
    why_not: str = ""


class Dialect(Protocol):
    """One way in which programs write records of posts: a module of this folder.

    It may also have ``rows(table, source)``, which does for a table without pictures' paths what ``records`` does for
    JSON, and other functions that `doppelgram.dataset.posts.capture` asks for.

    Attributes:
        name: what posts call it as their ``source``.
        reads: what it reads, for a person who gave something else.
    """

    name: str
    reads: str

    def records(self, value: Any, file: Path) -> list[Record] | None:
        """The records in a JSON value; None where it is of another kind."""
        ...


@dataclass
class Document:
    """A file and the records in it.

    Attributes:
        file: where it lies.
        folder: in which it lies, relative to the source's.
        dialect: in which it is written; None where nobody understands it.
        records: the posts in it.
        left: parts of it that cannot be used.
    """

    file: Path
    folder: str
    dialect: Dialect | None = None
    records: list[Record] = field(default_factory=list)
    left: list[LeftAside] = field(default_factory=list)


class Source:
    """A file or folder of posts.

    Attributes:
        path: as it was given, unpacked if it was a ZIP file.
        given: as it was given.
        dialects: in whose order records are understood.
    """

    def __init__(self, path: Path, dialects: Sequence[Dialect] = ()) -> None:
        self.given = path
        self.path = unpacked(path) if path.suffix.lower() == ".zip" and path.is_file() else path
        self.dialects = dialects

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def folder(self) -> Path:
        """The folder that paths start from."""
        if self.is_folder:
            return self.path
        if not is_json(self.path.name):
            return self.path.parent
        for document in self.documents:
            if root := getattr(document.dialect, "root_of", None):
                return Path(root(document))
        return self.path.parent

    @cached_property
    def listing(self) -> Listing:
        """The files below the folder."""
        return list_files(self.folder)

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures below the folder, and in 4CAT's ZIP files there: ``some.zip/inside.jpg``."""
        images = ["/".join(parts) for parts in self.listing.images]
        for name, folder in self.archives.items():
            images += ["/".join((name, *parts)) for parts in list_files(folder).images]
        return Pictures(images)

    @cached_property
    def archives(self) -> dict[str, Path]:
        """ZIP files of 4CAT below the folder, by their path in it: where each is unpacked."""
        from doppelgram.dataset.archives import holds_capture

        zips = [file for file in self.listing.others if file.suffix.lower() == ".zip"] if self.is_folder else []
        return {file.relative_to(self.folder).as_posix(): unpacked(file) for file in zips if holds_capture(file)}

    @cached_property
    def documents(self) -> list[Document]:
        """Its JSON files and tables with the records in them."""
        if not self.is_folder:
            is_table = self.path.suffix.lower() in TABLE_ENDINGS
            return [self._document(self.path)] if is_table or is_json(self.path.name) else []
        return [self._document(file) for file in (*self.listing.json, *self.listing.tables)]

    def holds(self, dialect: str) -> bool:
        """Whether a file in it is written in this dialect."""
        return any(document.dialect is not None and document.dialect.name == dialect for document in self.documents)

    def _document(self, file: Path) -> Document:
        document = Document(file, "")
        if self.is_folder:
            folder = file.parent.relative_to(self.path).as_posix()
            document.folder = "" if folder == "." else folder
        shown = self.shown(file)
        try:
            if not is_json(file.name):
                self._read_table(document, read_table(file))
                return document
            value = read_json(file)
        except DoppelgramError as problem:
            reason = str(problem).removeprefix(f"{file}: ")
            document.left.append(LeftAside(shown, reason))
            return document
        if isinstance(value, list):
            document.left += [
                LeftAside(f"{shown}: {one}", "a part of a file") for one in value if isinstance(one, Broken)
            ]
            value = [one for one in value if not isinstance(one, Broken)]
        for dialect in self.dialects:
            records = dialect.records(value, Path(shown))
            if records is not None:
                document.dialect, document.records = dialect, records
                break
        return document

    def _read_table(self, document: Document, table: Table) -> None:
        for dialect in self.dialects:
            rows = getattr(dialect, "rows", None)
            if rows is not None and (records := rows(table, self)) is not None:
                document.dialect, document.records = dialect, records
                return

    def shown(self, file: Path) -> str:
        """A file's name in a sentence: relative to the folder that was given."""
        return (
            file.relative_to(self.path).as_posix() if self.is_folder and file.is_relative_to(self.path) else file.name
        )
