"""A folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole


class Folder:
    """A folder, there or not; see `Location`."""

    options = None

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser()

    def __str__(self) -> str:
        return str(self.folder)

    def names(self) -> list[str]:
        if self.folder.exists() and not self.folder.is_dir():
            raise DoppelgramError(f"{self.folder}: is a file; a catalog needs a folder")
        return sorted(file.name for file in self.folder.iterdir()) if self.folder.exists() else []

    def read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        if not data:  # an empty file is never half written, and leaves no other name beside it meanwhile
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(data)
            return
        with written_whole(self.folder / name) as aside:
            aside.write_bytes(data)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def size(self) -> int:
        total = 0
        for file in self.folder.rglob("*"):
            try:
                total += file.stat().st_size if file.is_file() else 0
            except FileNotFoundError:
                continue  # another process cleans up
        return total

    def inner(self, name: str) -> Folder:
        return Folder(self.folder / name)

    def address(self, name: str) -> str:
        return str(self.folder / name)

    def readable(self) -> Path:
        return self.folder

    @contextmanager
    def writable(self) -> Iterator[Path]:
        self.folder.mkdir(parents=True, exist_ok=True)
        yield self.folder
