"""Records and pictures brought together: the rows of every reader that reads JSON or a table of addresses."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from doppelgram.dataset.left import LeftAside
from doppelgram.dataset.listing import IMAGE_ENDINGS
from doppelgram.dataset.posts.posts import PostRow, Posts, ReadOptions, collect
from doppelgram.dataset.posts.source import Document, Record, Source
from doppelgram.dataset.records.beside import images_beside
from doppelgram.dataset.records.fields import Facts
from doppelgram.dataset.records.pictures import number_of

NO_PICTURE, NOT_HERE = "posts that name no picture", "posts whose picture is not in the folder"


class RecordsReader:
    """A reader of posts for one dialect of records; what else is understood in the same folder is read with it."""

    def __init__(self, dialect: Any) -> None:
        self.dialect = dialect
        self.name: str = dialect.name
        self.reads: str = dialect.reads

    def claims(self, source: Source) -> bool:
        """Whether a record of the dialect is in it, or a picture whose name the dialect understands."""
        return source.holds(self.name) or bool(source.is_folder and getattr(self.dialect, "claims", _never)(source))

    def read(self, source: Source, options: ReadOptions) -> Posts:
        """The posts of every dialect in the source."""
        return _Capture(source, options).posts(self.name)


def _never(source: Source) -> bool:
    return False


class _Capture:
    """Rows as they are made, and what is left aside."""

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self.source, self.options = source, options
        self.rows: list[PostRow] = []
        self.left: list[LeftAside] = []
        self.notes: list[str] = []
        self.taken: set[str] = set()
        self.read: Counter[str] = Counter()
        self.beside = self._beside()

    def posts(self, name: str) -> Posts:
        """All rows as posts."""
        source = self.source
        for document in source.documents:
            self._document(document)
        if source.is_folder:
            self._unclaimed()
            self.left += source.listing.left
            self.left += [one for one in source.listing.leave_others() if not one.what.lower().endswith(".zip")]
        for dialect in source.dialects:
            if note := getattr(dialect, "note", None):
                self.notes += note(source, self.rows)
        used = [dialect.name for dialect in source.dialects if self.read[dialect.name]]
        return collect(source.folder, self.rows, self.notes, "+".join(used) or name, self.left)

    def _beside(self) -> dict[Path, list[str]]:
        """The pictures beside each JSON file of one record."""
        by_folder: dict[str, list[Document]] = {}
        for document in self.source.documents:
            if any(record.beside and not record.why_not for record in document.records):
                by_folder.setdefault(document.folder, []).append(document)
        found = {}
        for folder, documents in by_folder.items():
            files = {document.file.name: document.file for document in documents}
            for name, images in images_beside(folder, files, self.source.pictures.beside(folder)):
                found[files[name]] = images
        return found

    def _document(self, document: Document) -> None:
        self.left += document.left
        shown = self.source.shown(document.file)
        if document.dialect is None:
            if not document.left:
                self.left.append(LeftAside(shown, "files that no reader of posts understands"))
            return
        missing: list[tuple[Record, list[str], str]] = []
        base: Counter[str] = Counter()
        for record in document.records:
            if record.why_not:
                self.left.append(LeftAside(record.where, record.why_not))
                continue
            images, missed = self._pictures(document, record)
            for number, (image, named) in enumerate(images, start=1):
                if named and image.endswith(named):
                    base[image[: -len(named)].rstrip("/")] += 1
                self._row(document, record, image, number, len(images))
            if missed:
                missing.append((record, missed, document.folder))
            elif not images:
                self.left.append(LeftAside(record.where, NOT_HERE if record.facts.media else NO_PICTURE))
        # A file that is named and not there stays a row, so that it is reported as missing like any other.
        for record, names, folder in missing:
            start = base.most_common(1)[0][0] if base else self._base(document, folder)
            for number, name in enumerate(names, start=1):
                self._missing(document, record, name, start, number)

    def _base(self, document: Document, folder: str) -> str:
        hook = getattr(document.dialect, "base", None)
        return str(hook(self.source, document)) if hook else folder

    def _pictures(self, document: Document, record: Record) -> tuple[list[tuple[str, str]], list[str]]:
        """The pictures of a record, each with the name that led to it, and names of files that are not there."""
        pictures, facts = self.source.pictures, record.facts
        if record.beside and (images := self.beside.get(document.file)):
            return [(image, "") for image in images], []
        found, missed = [], []
        accepts = getattr(document.dialect, "accepts", None)
        for names in facts.media:
            if facts.local:
                image = next(filter(None, (pictures.of_path(name, document.folder) for name in names)), None)
            else:
                image = pictures.of_names(names, document.folder)
            if image is not None and (accepts is None or accepts(self.source, document, image, names[0])):
                found.append((image, names[0].replace("\\", "/")))
            elif facts.local:
                missed.append(names[0])
        if not found and facts.key and not (facts.local and facts.media):
            found = [(image, "") for image in pictures.of_code(facts.key, document.folder)]
        return found, missed

    def _row(self, document: Document, record: Record, image: str, number: int, count: int) -> None:
        facts = record.facts
        self.taken.add(image)
        assert document.dialect is not None
        self.read[document.dialect.name] += 1
        # What a record says of itself is the number of one picture; of several, the order is.
        said = facts.number if count == 1 else 0
        number = said or (number if count > 1 else number_of(image) if record.beside else 1)
        self.rows.append(
            PostRow(
                image,
                facts.author,
                self.options.clock.try_read(facts.time, record.where),
                record.where,
                dict(facts.more),
                facts.author_id,
                self._key(facts, image, number, sure=bool(said) or number > 1 or (count == 1 and not record.beside)),
                facts.origins,
            )
        )

    @staticmethod
    def _key(facts: Facts, image: str, number: int, *, sure: bool) -> str:
        """What the same picture of a post has in common wherever it is found: number, or name where that is unsure."""
        return f"{facts.key}\0{number if sure else image.rsplit('/', 1)[-1]}" if facts.key else ""

    def _missing(self, document: Document, record: Record, name: str, start: str, number: int) -> None:
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts or Path(parts[-1]).suffix.lower() not in IMAGE_ENDINGS:
            self.left.append(LeftAside(f"{record.where}: {name[:80]}", "media that are no picture (videos)"))
            return
        if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
            self.left.append(LeftAside(f"{record.where}: {name[:80]}", "pictures on another machine, and not here"))
            return
        self._row(document, record, "/".join(filter(None, (start, *parts))), number, len(record.facts.media))

    def _unclaimed(self) -> None:
        """Pictures that no record speaks of: some names say enough by themselves."""
        authors = {row.author.casefold() for row in self.rows if row.author}
        hooks = [hook for dialect in self.source.dialects if (hook := getattr(dialect, "from_name", None))]
        for image in self.source.pictures.images:
            if image in self.taken:
                continue
            facts = next(filter(None, (hook(image, self.source, authors) for hook in hooks)), None)
            if facts is None:
                self.left.append(LeftAside(image, "pictures of which no record speaks"))
                continue
            time = self.options.clock.try_read(facts.time, image)
            self.rows.append(PostRow(image, facts.author, time, image, dict(facts.more), origins=facts.origins))
