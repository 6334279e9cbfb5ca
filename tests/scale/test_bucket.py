"""Plans, receipts and commits in an object store: a server of the S3 protocol on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.scale import index as scale_index
from doppelgram.scale import plan as plan_module
from doppelgram.scale.index import Means, index_in_parts
from doppelgram.scale.write_once import WriteOnceStore
from helpers.engines import Here


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket."""
    boto3 = pytest.importorskip("boto3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="photographs")
    yield "s3://photographs"
    server.stop()


@pytest.mark.slow
def test_a_job_in_a_bucket_goes_on_after_a_stop(
    monkeypatch: pytest.MonkeyPatch, bucket: str, photos: Path, model_folder: Path, draw_picture: Callable[..., Path]
):
    monkeypatch.setattr(plan_module, "SMALLEST", 2)
    monkeypatch.setattr(scale_index, "COMMIT_SECONDS", 0.0)
    store = WriteOnceStore(f"{bucket}/store")
    assert store.put("a/b", b"first")
    assert not store.put("a/b", b"second")
    assert store.get("a/b") == b"first"
    assert store.get("a/c") is None

    catalog = Catalog.create(f"{bucket}/catalog", model_folder)
    collection = read_collection(photos)
    first, second = Here(2), Here()
    with pytest.raises(KeyboardInterrupt):
        index_in_parts(collection, catalog, Means(first))
    report = index_in_parts(collection, catalog, Means(second))
    assert (len(first.done), len(second.done)) == (2, 4)
    assert report.added == len(catalog) == len(catalog.hashes()) == 12
    assert WriteOnceStore(f"{bucket}/catalog/plans").names("") == []
