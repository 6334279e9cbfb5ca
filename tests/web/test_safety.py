"""What a stranger may try: each is refused in one sentence, and nothing outside is read."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import httpx
import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.web import safety
from doppelgram.web.safety import TOKEN_HEADER, Access
from doppelgram.web.session import Session
from helpers.image_files import bomb
from helpers.page import Served, serving


def raw(page: Served, text: bytes, wait: float = 5.0) -> bytes:
    """Bytes as they are, which no HTTP library would send."""
    port = int(page.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        connection.sendall(text)
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except (TimeoutError, ConnectionResetError):
            pass
    return b"".join(parts)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost.evil.example:80", "127.0.0.1:1", ""])
def test_another_host_is_refused(page: Served, host: str) -> None:
    assert page.client.get("/api/catalog", headers={"host": host}).status_code in (400, 421)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1"])
def test_another_origin_is_refused(page: Served, origin: str) -> None:
    assert page.client.get("/api/catalog", headers={"origin": origin}).status_code == 403
    assert page.client.post("/api/queries", content=b"x", headers={"origin": origin}).status_code == 403


def test_another_site_cannot_read_pictures(page: Served) -> None:
    assert page.client.get("/api/catalog", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_own_origin_is_answered(page: Served) -> None:
    assert page.client.get("/api/catalog", headers={"origin": page.address}).status_code == 200


def test_changes_need_the_token(page: Served) -> None:
    for token in ("", "wrong"):
        answer = page.client.post("/api/queries", content=b"x", headers={TOKEN_HEADER: token})
        assert answer.status_code == 403
        assert TOKEN_HEADER in answer.json()["detail"]


SPELLINGS = [
    "../pyproject.toml",
    "..%2f..%2fpyproject.toml",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "..;/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..%c0%af..%c0%afetc/passwd",
    "file:///etc/passwd",
    "app.js%00.png",
    "shell.html",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("below", ["/static/", "/api/images/", "/"])
def test_no_path_leads_out(page: Served, below: str, spelling: str) -> None:
    head = f"GET {below}{spelling} HTTP/1.1\r\nHost: {page.address[7:]}\r\nConnection: close\r\n\r\n"
    answer = raw(page, head.encode())
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 500, answer[:300]
    assert b"root:" not in answer


def test_too_large_is_refused_before_it_is_read(page: Served) -> None:
    head = f"POST /api/queries HTTP/1.1\r\nHost: {page.address[7:]}\r\n{TOKEN_HEADER}: {page.access.token}\r\n"
    answer = raw(page, f"{head}Content-Length: 99999999999\r\n\r\n".encode())
    assert b" 413 " in answer.splitlines()[0]


def test_a_lying_length_and_endless_chunks(page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "MOST_BYTES", 100_000)
    for size in (100, 3_000):  # also where much is still under way when the answer is clear
        for _ in range(5):
            answer = page.client.post("/api/queries", content=(b"x" * 10_000 for _ in range(size)))
            assert answer.status_code == 413
            assert "too large" in answer.json()["detail"]


def test_slow_bodies_are_given_up(page: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "_BODY_SECONDS", 0.3)
    head = f"POST /api/queries HTTP/1.1\r\nHost: {page.address[7:]}\r\n{TOKEN_HEADER}: {page.access.token}\r\n"
    started = time.monotonic()
    answer = raw(page, f"{head}Content-Length: 5000\r\n\r\nabc".encode(), wait=10)
    assert b" 408 " in answer.splitlines()[0]
    assert time.monotonic() - started < 10


def test_floods_of_headers(page: Served) -> None:
    many = {f"x-{number}": "a" for number in range(200)}
    assert page.client.get("/api/catalog", headers=many).status_code == 431
    large = raw(page, f"GET / HTTP/1.1\r\nHost: {page.address[7:]}\r\nX: {'a' * 100_000}\r\n\r\n".encode(), wait=1.0)
    assert large == b"" or b" 4" in large.splitlines()[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<html></html>",
        b"GIF89a",
        bomb(),
        b"\xff\xd8\xff\xe0" + b"\0" * 500,
    ],
    ids=["empty", "broken PNG", "SVG", "HTML", "broken GIF", "PNG bomb", "broken JPEG"],
)
def test_what_is_no_photograph(plain_page: Served, content: bytes) -> None:
    answer = plain_page.client.post("/api/queries", content=content)
    assert answer.status_code == 422
    sentence = answer.json()["detail"]
    assert "photograph" in sentence
    assert "/tmp" not in sentence


def test_headers_of_every_answer(page: Served) -> None:
    for path in ("/", "/static/app.js", "/api/catalog", "/nothing", "/api/nothing"):
        headers = page.client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_a_password(catalog: Catalog) -> None:
    with serving(Session(catalog, "secret"), password="a b:c") as served:
        assert served.client.get("/").status_code == 401
        assert served.client.get("/", auth=("anybody", "wrong")).status_code == 401
        assert served.client.get("/", auth=("anybody", "a b:c")).status_code == 200
        assert served.client.get("/", headers={"authorization": "Basic !!!"}).status_code == 401


def test_an_upload_is_searched_and_written_nowhere(plain_page: Served) -> None:
    folder = plain_page.session.catalog.folder.parent
    before = sorted(str(path) for path in folder.rglob("*"))
    row = plain_page.session.row(plain_page.session.require().searcher.ids[0])
    assert row is not None
    content = Path(row["path"]).read_bytes()
    answer = plain_page.client.post("/api/queries", content=content).json()
    assert answer["known"]
    found = plain_page.get("/api/search", query=answer["query"], k=5)
    assert len(found["matches"]) == 5
    assert all(match["id"] != answer["id"] for match in found["matches"])
    assert sorted(str(path) for path in folder.rglob("*")) == before
    pair = plain_page.get(f"/api/pair/{found['matches'][0]['id']}", query=answer["query"])
    assert pair["distance"] == pytest.approx(found["matches"][0]["distance"], abs=1e-5)


def test_two_readers_while_rows_are_taken_out(plain_page: Served) -> None:
    """A row that another process takes out is a 404, not a fault."""
    answer = httpx.get(f"{plain_page.address}/api/images/{'a' * 64}/facts")
    assert answer.status_code == 404


def test_a_server_on_all_addresses_answers_to_addresses_and_to_no_name_of_others() -> None:
    access = Access.for_address("0.0.0.0", 8765, "secret")
    for host in ("192.168.1.7:8765", "127.0.0.1:8765", "localhost:8765", "[fe80::1]:8765"):
        assert access.names(host)
    for host in ("192.168.1.7:80", "evil.example:8765", "192.168.1.7.evil.example:8765", "8765", ""):
        assert not access.names(host)
    assert not Access.for_address("127.0.0.1", 8765).names("192.168.1.7:8765")
