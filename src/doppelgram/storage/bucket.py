"""A prefix of a bucket in an S3 object store, reached by what the variables AWS_* say."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from doppelgram.errors import DoppelgramError

SCHEME = "s3://"

# Seconds until a connection, and an answer, is given up. What fails sooner than _TRYING seconds is tried again, silence
# is not: the engine asks several times by itself.
_CONNECT, _ANSWER, _RETRIES, _TRYING = 5, 20, 3, 10
# Pieces of a large file under way at a time: a slow line must bring each to its end before it is given up.
_AT_ONCE = 2


class Bucket:
    """Files under a prefix of a bucket; see `Location`.

    Args:
        address: ``s3://bucket/prefix``, or ``s3://bucket``.

    Raises:
        DoppelgramError: it is none.
    """

    def __init__(self, address: str) -> None:
        bucket, _, prefix = address.removeprefix(SCHEME).strip("/").partition("/")
        parts = [part for part in prefix.split("/") if part]
        if not address.startswith(SCHEME) or not bucket or {".", ".."} & set(parts):
            raise DoppelgramError(f"{address}: write s3://bucket/prefix")
        self._bucket, self._prefix = bucket, "/".join(parts)

    def __str__(self) -> str:
        return SCHEME + "/".join(filter(None, (self._bucket, self._prefix)))

    @property
    def folder(self) -> Path:
        raise DoppelgramError(f"{self}: this keeps files beside the catalog, so the catalog must lie in a folder")

    @property
    def options(self) -> Mapping[str, str]:
        return {
            "region": _region(),
            "allow_http": str(_allows_http()).lower(),
            "connect_timeout": f"{_CONNECT}s",
            "timeout": f"{_ANSWER}s",
            "client_max_retries": str(_RETRIES),
            "client_retry_timeout": str(_TRYING),
        }

    @property
    def store(self) -> Any:
        """The object store, of which names are relative to the prefix: for what a `Location` does not do."""
        return self._store

    def names(self) -> list[str]:
        import obstore

        with self._plain_errors():
            found = obstore.list_with_delimiter(self._store)
        paths = [*found["common_prefixes"], *(one["path"] for one in found["objects"])]
        return sorted(path.strip("/").rpartition("/")[2] for path in paths)

    def read(self, name: str) -> bytes | None:
        import obstore

        with self._plain_errors():
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError as problem:
                if "NoSuchBucket" in str(problem):
                    raise
                return None

    def write(self, name: str, data: bytes) -> None:
        import obstore

        with self._plain_errors():
            obstore.put(self._store, name, data)

    def delete(self, name: str) -> None:
        import obstore

        with self._plain_errors():
            obstore.delete(self._store, name)

    def size(self) -> int:
        return sum(int(one["size"]) for one in self._files())

    def inner(self, name: str) -> Bucket:
        return Bucket(f"{self}/{name}")

    def address(self, name: str) -> str:
        return f"{self}/{name}"

    def readable(self) -> Path:
        import obstore
        import platformdirs

        files = self._files()
        content = "\n".join(sorted(f"{one['path']} {one['size']} {one['e_tag']}" for one in files))
        copies = Path(platformdirs.user_cache_dir("doppelgram")) / "buckets"
        target = copies / hashlib.sha256(content.encode()).hexdigest()[:32]
        if target.is_dir() or not files:
            return target
        copies.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=copies, prefix=".part-") as folder, self._plain_errors():
            aside = Path(folder) / "copy"
            for one in files:
                file = aside / str(one["path"])
                if ".." in file.parts:
                    raise OSError(f"{one['path']} is no name of a file")
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("wb") as opened:
                    for piece in obstore.get(self._store, one["path"]):
                        opened.write(piece)
            try:
                aside.rename(target)
            except OSError:  # another process was faster
                if not target.is_dir():
                    raise
        return target

    @contextmanager
    def writable(self) -> Iterator[Path]:
        import obstore

        with TemporaryDirectory(prefix="doppelgram-") as folder:
            yield Path(folder)
            files = [file for file in Path(folder).rglob("*") if file.is_file()]
            # The smallest last: a description counts only with the weights that it names.
            for file in sorted(files, key=lambda file: file.stat().st_size, reverse=True):
                with self._plain_errors():
                    obstore.put(self._store, file.relative_to(folder).as_posix(), file, max_concurrency=_AT_ONCE)

    def _files(self) -> list[Any]:
        """What is said of every file under the prefix."""
        import obstore

        with self._plain_errors():
            return [one for piece in obstore.list(self._store) for one in piece]

    @cached_property
    def _store(self) -> Any:
        from obstore.store import S3Store

        with self._plain_errors():
            return S3Store(
                self._bucket,
                prefix=self._prefix or None,
                region=_region(),
                client_options={
                    "allow_http": _allows_http(),
                    "connect_timeout": timedelta(seconds=_CONNECT),
                    "timeout": timedelta(seconds=_ANSWER),
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_TRYING)},
            )

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as problem:
            raise OSError(why_not(problem)) from problem


def why_not(problem: Exception) -> str:
    """What is wrong, in a few words, by what an object store's client says of it."""
    text = " ".join(str(problem).split())
    server = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or "S3"
    for mark, reason in (
        ("NoSuchBucket", "there is no such bucket"),
        ("BadScheme", f"{server} is not https; set AWS_ALLOW_HTTP=true to use it all the same"),
        ("169.254.169.254", "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("AccessDenied", "access is denied; look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("InvalidAccessKeyId", "access is denied; look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("SignatureDoesNotMatch", "access is denied; look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("error sending request", f"{server} does not answer"),
        ("operation timed out", f"{server} does not answer"),
        ("TimedOut", f"{server} does not answer"),
    ):
        if mark in text:
            return reason
    return text.split("Debug source:")[0].strip()[:200]


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _allows_http() -> bool:
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true", "yes", "on")
