"""A place for the files of a catalog."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Location(Protocol):
    """A folder, or what takes its place. As text it is what the user wrote.

    Names of files are relative, with ``/`` between folders. Whatever goes wrong raises OSError with a reason in one
    sentence, unless something else is said.
    """

    @property
    def folder(self) -> Path:
        """The folder; raises DoppelgramError where there is none on this machine."""

    @property
    def options(self) -> Mapping[str, str] | None:
        """How LanceDB reaches what lies here; None where it needs no settings."""

    def names(self) -> list[str]:
        """Names of the files and folders right here; none where nothing is. DoppelgramError: it is a file."""

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is no such file."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all: another process may be reading it."""

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""

    def size(self) -> int:
        """Bytes of all files here and below."""

    def inner(self, name: str) -> Location:
        """The folder of this name in here, whether it is there or not."""

    def address(self, name: str) -> str:
        """A folder in here as LanceDB takes it."""

    def readable(self) -> Path:
        """A folder of this machine with the files that lie here: this one, or a copy in the user's cache."""

    def writable(self) -> AbstractContextManager[Path]:
        """A folder of this machine to write files into, which lie here once the block is done."""
