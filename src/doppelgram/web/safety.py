"""What every request has to pass before the page looks at it, and the headers that every answer carries."""

from __future__ import annotations

import asyncio
import base64
import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

MOST_BYTES = 40_000_000
"""Of an uploaded photograph."""

TOKEN_HEADER = "x-doppelgram-token"
_READING = {"GET", "HEAD"}
_CHANGING = {"POST", "DELETE"}
_MOST_HEADERS, _MOST_HEADER_BYTES, _LONGEST_PATH = 64, 16_384, 4_096
_BODY_SECONDS = 30.0
# Of a body that is too large, what is still read and thrown away once the refusal is sent: whoever sends on while the
# connection is closed sees a broken connection in place of the sentence.
_DROPPED_SECONDS, _DROPPED_BYTES = 3.0, 200_000_000
_UPLOADS = 4
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Where the page may load from: this server alone, and nothing that stands in the document."""
_HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Access:
    """Who may ask this server, and what for.

    Attributes:
        hosts: values of the header ``Host`` that name this server, with the port.
        password: asked of everybody where the page can be reached from other machines; empty on the machine itself.
        everywhere: port at which the server listens on all addresses of the machine; 0 where it listens on one. Any
            address in figures with that port names it then, and no name that an attacker could own.
        token: has to come with every request that changes something. Only the page itself knows it.
    """

    hosts: frozenset[str]
    password: str = ""
    everywhere: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @classmethod
    def for_address(cls, host: str, port: int, password: str = "") -> Access:
        """Access to a server that listens at an address."""
        everywhere = host in _ANY
        local = (*_LOCAL, socket.gethostname().lower()) if everywhere else _LOCAL if is_loopback(host) else ()
        named = frozenset(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in {host, *local})
        return cls(named, password, port if everywhere else 0)

    def names(self, host: str) -> bool:
        """Whether a value of the header ``Host`` names this server."""
        if host in self.hosts:
            return True
        name, _, port = host.rpartition(":")
        return bool(self.everywhere) and port == str(self.everywhere) and _is_address(name)


_ANY, _LOCAL = ("0.0.0.0", "::"), ("127.0.0.1", "localhost", "::1")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    return host in ("localhost", "::1") or host.startswith("127.")


class Refused(Exception):
    """A request that is not answered."""

    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)


class Guard:
    """The door of the server, before any of its own code (ASGI)."""

    def __init__(self, app: App, access: Access) -> None:
        self._app, self._access = app, access
        self._uploads = asyncio.Semaphore(_UPLOADS)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with a bounded body."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            self._check(scope)
            if scope["method"] in _READING:
                # The server leaves the body out where it was asked with HEAD.
                await self._app({**scope, "method": "GET"}, receive, _with_headers(send))
                return
            async with self._uploads:
                body = await _body(scope, receive)
                await self._app(scope, _replayed(body, receive), _with_headers(send))
        except Refused as refused:
            await _refuse(refused, receive, _with_headers(send))

    def _check(self, scope: Message) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(headers) > _MOST_HEADERS or sum(len(a) + len(b) for a, b in headers) > _MOST_HEADER_BYTES:
            raise Refused(431, "the request has too many headers")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _LONGEST_PATH:
            raise Refused(414, "the address is too long")
        hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not self._access.names(hosts[0]):
            raise Refused(421, "this page answers only to its own address, such as http://127.0.0.1")
        found = {name: value.decode("latin-1") for name, value in headers}
        if b"origin" in found and found[b"origin"].lower() != f"http://{hosts[0]}":
            raise Refused(403, "another website may not ask this page")
        if found.get(b"sec-fetch-site", "none") not in ("none", "same-origin") and (
            scope["path"].startswith("/api") or scope["method"] not in _READING
        ):
            raise Refused(403, "another website may not ask this page")
        if scope["method"] not in _READING | _CHANGING:
            raise Refused(
                405, f"{scope['method'][:20]} is not answered here; ask with GET, or change with POST or DELETE"
            )
        if self._access.password and not _knows(found.get(b"authorization", ""), self._access.password):
            raise Refused(401, "this page asks for a password")
        if scope["method"] in _CHANGING and not hmac.compare_digest(
            found.get(TOKEN_HEADER.encode(), "").encode("latin-1"), self._access.token.encode()
        ):
            raise Refused(403, f"what changes something needs the header {TOKEN_HEADER}, which the page knows")


def _knows(authorization: str, password: str) -> bool:
    kind, _, value = authorization.partition(" ")
    try:
        given = base64.b64decode(value, validate=True).partition(b":")[2]
    except ValueError:
        return False
    return kind.lower() == "basic" and hmac.compare_digest(given, password.encode())


async def _body(scope: Message, receive: Receive) -> bytes:
    """The whole body, if it is not too large and does not take too long."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > MOST_BYTES):
            raise Refused(413, f"that is too large; {MOST_BYTES // 1_000_000} MB are the most")
    parts, size = [], 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the request was broken off")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > MOST_BYTES:
                    raise Refused(413, f"that is too large; {MOST_BYTES // 1_000_000} MB are the most")
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(408, "the request took too long to arrive") from None


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            extra = dict(_HEADERS) if b"cache-control" in own else {**_HEADERS, b"cache-control": b"no-store"}
            message["headers"] = [*message["headers"], *(item for item in extra.items() if item[0] not in own)]
        await send(message)

    return sent


async def _drop_body(receive: Receive) -> None:
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_DROPPED_SECONDS):
            while size < _DROPPED_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


async def _refuse(refused: Refused, receive: Receive, send: Send) -> None:
    body = json.dumps({"detail": refused.why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refused.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Doppelgram", charset="UTF-8"'))
    if refused.status == 405:
        headers.append((b"allow", ", ".join(sorted(_READING | _CHANGING)).encode()))
    if refused.status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    too_large = refused.status == 413
    await send({"type": "http.response.body", "body": body, "more_body": too_large})
    if too_large:
        await _drop_body(receive)
        await send({"type": "http.response.body", "body": b""})
