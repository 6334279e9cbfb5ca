"""The page itself: one document for every address of it, its style and its scripts."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

VIEWS = ("search", "map", "pair", "teach", "role-models", "training")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@cache
def _static() -> dict[str, tuple[bytes, str, str]]:
    """Every file that may be asked for, by name: content, type, tag. Names that are not in it lead nowhere."""
    found: dict[str, tuple[bytes, str, str]] = {}

    def collect(folder: Traversable, prefix: str) -> None:
        for each in folder.iterdir():
            if each.is_dir():
                collect(each, f"{prefix}{each.name}/")
            elif (ending := "." + each.name.rpartition(".")[2]) in _TYPES:
                content = each.read_bytes()
                found[prefix + each.name] = content, _TYPES[ending], hashlib.sha256(content).hexdigest()[:16]

    collect(files("doppelgram.web") / "pages", "")
    return found


@cache
def _document() -> str:
    return (files("doppelgram.web") / "pages" / "shell.html").read_text(encoding="utf-8")


@router.get("/static/{name:path}")
def static(request: Request, name: str) -> Response:
    """A style sheet or a script."""
    if name not in _static():
        raise HTTPException(404)
    content, kind, tag = _static()[name]
    headers = {"cache-control": "no-cache", "etag": f'"{tag}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=f"{kind}; charset=utf-8", headers=headers)


def _shell(request: Request) -> HTMLResponse:
    # The token is no secret to the page: another website cannot read this document.
    return HTMLResponse(_document().replace("TOKEN", request.app.state.access.token))


for _path in ("/", *(f"/{view}" for view in VIEWS)):
    router.add_api_route(_path, _shell, methods=["GET"])
