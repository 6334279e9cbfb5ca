"""Small files that are written once and never changed, in a folder or an object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from doppelgram.errors import DoppelgramError
from doppelgram.storage.bucket import Bucket, why_not
from doppelgram.storage.resolve import in_bucket

_AT_ONCE = 1000


class WriteOnceStore:
    """Files by name, of which the first that is put under a name stays.

    Args:
        place: a folder, or ``s3://bucket/prefix``.
    """

    def __init__(self, place: str) -> None:
        import obstore.store

        self.place = place
        with self._explained("opened"):
            if in_bucket(place):
                self._store = Bucket(place).store
            else:
                self._store = obstore.store.LocalStore(self.place, mkdir=True, automatic_cleanup=True)

    def put(self, name: str, data: bytes) -> bool:
        """Write a file, whole or not at all.

        Returns:
            Whether it is there now because of this call; False where there was one of that name, which stays.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._explained("written"):
            try:
                obstore.put(self._store, name, data, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def get(self, name: str) -> bytes | None:
        """A file's bytes; None where there is no such file."""
        import obstore

        with self._explained("read"):
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        import obstore

        with self._explained("read"):
            try:
                obstore.head(self._store, name)
            except FileNotFoundError:
                return False
        return True

    def folders(self) -> list[str]:
        """Names of the folders at the top."""
        import obstore

        with self._explained("read"):
            return sorted(map(str, obstore.list_with_delimiter(self._store)["common_prefixes"]))

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder and below it, sorted, each with the folder's own name in front."""
        import obstore

        with self._explained("read"):
            return sorted(str(one["path"]) for piece in obstore.list(self._store, folder) for one in piece)

    def remove(self, names: list[str]) -> None:
        """Delete files, in any order; those that are gone already are passed over."""
        import obstore

        with self._explained("written"):
            for start in range(0, len(names), _AT_ONCE):
                some = names[start : start + _AT_ONCE]
                try:
                    obstore.delete(self._store, some)
                except FileNotFoundError:
                    for name in some:
                        with suppress(FileNotFoundError):
                            obstore.delete(self._store, name)

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        """What the store complains of, in one sentence."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as problem:
            raise DoppelgramError(
                f"{self.place}: the plan of the work cannot be {done}: {why_not(problem)}"
            ) from problem
