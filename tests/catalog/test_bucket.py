"""Catalogs in a bucket: a real S3 server on this machine, reached over a wire that can be cut."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import doppelgram
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.storage import bucket
from helpers.commands import call
from helpers.object_store import BUCKET, Wire, s3_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with s3_server() as port:
        yield port


@pytest.fixture
def wire(server: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Wire]:
    wire = Wire(server)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{wire.port}",
        "AWS_ALLOW_HTTP": "true",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    yield wire
    wire.cut()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"_CONNECT": 1, "_ANSWER": 2, "_TRYING": 3, "_RETRIES": 1}.items():
        monkeypatch.setattr(bucket, name, seconds)


def test_every_command_takes_a_bucket(wire: Wire, tmp_path: Path, photos: Path, model_folder: Path) -> None:
    where, photo = f"s3://{BUCKET}/my/first", sorted(photos.rglob("*.*"))[0]

    def run(*words: object, status: int = 0) -> str:
        done = call(*map(str, words))
        assert done.status == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    run("index", photos, "--model", model_folder, "--catalog", where)
    assert "12 already present" in run("index", photos, "--catalog", where)
    info = json.loads(run("catalog", "info", where, "--json"))
    assert (info["location"], info["rows"], info["labelled"]) == (where, 12, 12)
    assert info["bytes"] > 10_000
    (found,) = json.loads(run("search", where, photo, "--json"))
    assert len(found["matches"]) == 5
    run("verify", photo, photo, "--model", where)
    run("evaluate", where, "--gallery", photos)
    run("errors", photos, "--model", where)
    run("map", where, "--method", "pca", "--out", tmp_path / "map.html")
    run("index", photos, "--model", model_folder, "--catalog", where, "--beside", "again")
    assert len(json.loads(run("search", where, photo, "--vectors", "again", "--json"))[0]["matches"]) == 5
    run("catalog", "delete", where, photo, "--yes")
    run("catalog", "relabel", where, "--where", "label is not null", "--to", "new", "--yes")
    run("catalog", "versions", where, "--keep", "labelled")
    run("catalog", "compact", where, "--keep-days", "0")
    run("catalog", "export", where, "--out", tmp_path / "out.parquet")
    assert len(Catalog.open(where, as_of="labelled")) == len(Catalog.open(where)) == 11
    assert len(Catalog.open(f"{where}/beside/again")) == 11
    # The model is copied once, and again only when another process has not done it.
    assert len(list((tmp_path / "cache" / "doppelgram" / "buckets").iterdir())) == 1

    assert "must lie in a folder" in run("teach", where, "--questions", "1", status=2)
    assert "must lie in a folder" in run("export-site", where, "--out", tmp_path / "site", status=2)
    assert "must lie in a folder" in run("serve", where, status=2)


def test_what_is_wrong_is_one_sentence(wire: Wire, monkeypatch: pytest.MonkeyPatch, impatient: None) -> None:
    for where, complaint in (
        (f"s3://{BUCKET}/nothing/here", "there is no such catalog"),
        ("s3://other-bucket/catalog", "there is no such bucket"),
        ("s3://", "write s3://bucket/prefix"),
        (f"s3://{BUCKET}/../up", "write s3://bucket/prefix"),
        ("gs://bucket/catalog", "no folder and no s3://"),
        (Path(f"s3://{BUCKET}/catalog"), "as text"),
    ):
        with pytest.raises(DoppelgramError, match=complaint):
            Catalog.open(where)
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(DoppelgramError, match="AWS_ALLOW_HTTP=true"):
        Catalog.open(f"s3://{BUCKET}/nothing/here")


def test_a_server_that_is_gone_or_silent_is_told_in_time(wire: Wire, impatient: None) -> None:
    wire.silent = True
    for _ in range(2):
        started = time.perf_counter()
        with pytest.raises(DoppelgramError, match=r"cannot be read: http://127.0.0.1:\d+ does not answer"):
            Catalog.open(f"s3://{BUCKET}/catalog")
        assert time.perf_counter() - started < 60
        wire.cut()


def test_indexing_that_is_cut_off_goes_on_later(wire: Wire, photos: Path, model_folder: Path, impatient: None) -> None:
    where = f"s3://{BUCKET}/cut"

    class Cutting(SilentProgress):
        """Cuts the wire after some photographs."""

        def bar(self, what: str, total: int):  # type: ignore[no-untyped-def]
            from contextlib import contextmanager

            seen = 0

            @contextmanager
            def shown():  # type: ignore[no-untyped-def]
                def advance(count: int, about: str = "") -> None:
                    nonlocal seen
                    seen += count
                    if 5 < seen <= 8:
                        # Rows are written beside the embedding: those of the first photographs have to be there.
                        end = time.perf_counter() + 60
                        while len(Catalog.open(where)) < 3:
                            assert time.perf_counter() < end
                        wire.cut()

                yield advance

            return shown()

    with pytest.raises(DoppelgramError, match=r"s3://photos/cut: .* does not answer"):
        doppelgram.index(photos, model_folder, where, batch=3, progress=Cutting())
    wire.mend()
    before = len(Catalog.open(where))
    assert 3 <= before < 12
    report = doppelgram.index(photos, model_folder, where, batch=3, progress=SilentProgress())
    assert (report.added, report.already_present) == (12 - before, before)
    assert len(Catalog.open(where)) == 12
