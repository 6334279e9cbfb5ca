"""Bad parameters and wrong methods are answered in plain sentences, and HEAD as GET without a body."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.page import Served

_FOREIGN = ("pattern", "^[", "regex", "pydantic", "should", "Input", "validation", "parsing", "{")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/images/abc/facts", "the id of a photograph"),
        ("/api/images?limit=many", "limit must be a whole number, not 'many'"),
        ("/api/images?limit=0", "1 or more"),
        ("/api/images?limit=501", "500 or less"),
        ("/api/images?since=yesterday", "2019-06-01"),
        ("/api/images?since=2019-13-45", "2019-06-01"),
        ("/api/search", "query is missing"),
        ("/api/search?query=../../etc", "brought"),
        ("/api/search?query=abcdefgh&mix=nan", "mix must be"),
        ("/api/search?query=abcdefgh&mix=red", "a number"),
        ("/api/map/points?map=zz", "stamp of a map"),
        ("/api/pair/x/y", "the id of a photograph"),
        ("/api/jobs/one", "a whole number"),
        ("/api/neighbours/" + "0" * 64 + "?k=1e9", "a whole number"),
    ],
)
def test_a_bad_parameter(page: Served, path: str, says: str) -> None:
    answer = page.client.get(path)
    assert answer.status_code == 422
    sentence = answer.json()["detail"]
    assert says in sentence
    assert not [word for word in _FOREIGN if word in sentence], sentence


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/answers", {"key": "a"}, "degree is missing"),
        ("/api/answers", {"degree": 2, "key": "a"}, "degree must be 1 or less, not 2"),
        ("/api/answers", {"degree": "yes"}, "a number"),
        ("/api/answers", {"degree": 1, "pair": ["../etc/passwd", "x"]}, "pair, entry 1, must be the id"),
        ("/api/answers", {"degree": 1, "pair": ["0" * 64]}, "a list of at least 2"),
        ("/api/names", {"ids": [], "name": "x"}, "a list of at least 1"),
        ("/api/names", {"ids": ["0" * 64], "name": "n" * 300}, "at most 200 characters"),
        ("/api/names", {"ids": "all", "name": "x"}, "a list"),
        ("/api/map", {"method": "umap"}, "'tsne' or 'pca'"),
        ("/api/map", [], "an object"),
    ],
)
def test_a_bad_body(page: Served, path: str, body: Any, says: str) -> None:
    answer = page.client.post(path, json=body)
    assert answer.status_code == 422
    sentence = answer.json()["detail"]
    assert says in sentence
    assert not [word for word in _FOREIGN if word in sentence], sentence


def test_what_is_no_json(page: Served) -> None:
    answer = page.client.post("/api/map", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "what was sent is not JSON")


@pytest.mark.parametrize("path", ["/", "/search", "/static/app.js", "/api/catalog", "/api/images?limit=3"])
def test_head_is_get_without_a_body(page: Served, path: str) -> None:
    whole, head = page.client.get(path), page.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers


def test_head_of_what_is_not_there(page: Served) -> None:
    assert page.client.head("/api/nothing").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/catalog", {"GET", "HEAD"}),
        ("DELETE", "/api/map", {"GET", "HEAD", "POST"}),
        ("GET", "/api/answers", {"POST"}),
        ("GET", "/api/answers/last", {"DELETE"}),
        ("POST", "/api/jobs/1", {"GET", "HEAD", "DELETE"}),
        ("POST", "/search", {"GET", "HEAD"}),
        ("PUT", "/api/catalog", {"GET", "HEAD", "POST", "DELETE"}),
        ("OPTIONS", "/api/catalog", {"GET", "HEAD", "POST", "DELETE"}),
    ],
)
def test_a_wrong_method(page: Served, method: str, path: str, allowed: set[str]) -> None:
    answer = page.client.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed
    assert method in answer.json()["detail"]
