"""A server on loopback that answers as a model hub does, and counts what it is asked."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.ThreadingHTTPServer):
    """Repositories of files, at one commit each.

    Attributes:
        files: "owner/name" and path to content.
        asked: "METHOD path" of every request, in order.
        sent: path and number of bytes of every answer to a GET, in order.
        cut: paths whose content breaks off in the middle; "once" or "always" to how.
    """

    daemon_threads = True

    def __init__(self, files: dict[tuple[str, str], bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.asked, self.sent, self.cut = files, [], [], {}

    files: dict[tuple[str, str], bytes]
    asked: list[str]
    sent: list[tuple[str, int]]
    cut: dict[str, str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serve_hub(files: dict[tuple[str, str], bytes]) -> Iterator[Hub]:
    """A hub that runs as long as the block does."""
    hub = Hub(files)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub = self.server
        hub.asked.append(f"{self.command} {self.path}")
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", unquote(self.path.split("?")[0]))
        if not match or not any(repository == match[1] for repository, _ in hub.files):
            return self._refuse("RepoNotFound")
        if match[2] not in (COMMIT, "main"):
            return self._refuse("RevisionNotFound")
        content = hub.files.get((match[1], match[3]))
        if content is None:
            return self._refuse("EntryNotFound")
        start = int(re.sub(r"\D", "", self.headers.get("Range", "0").split("-")[0]) or 0)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if not body:
            return None
        rest = content[start:]
        if how := hub.cut.get(match[3]):
            rest, self.close_connection = rest[: len(rest) // 2], True
            if how == "once":
                del hub.cut[match[3]]
        hub.sent.append((match[3], len(rest)))
        self.wfile.write(rest)
        return None

    def _refuse(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass
