"""The server's application: routes, and errors as sentences."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import doppelgram
from doppelgram.errors import DoppelgramError
from doppelgram.web.jobs import Busy
from doppelgram.web.listing import Missing
from doppelgram.web.refusals import sentence
from doppelgram.web.routes import catalog, images, jobs, maps, pairs, role_models, runs, search, shell, teach
from doppelgram.web.safety import Access, Guard
from doppelgram.web.session import Session
from doppelgram.web.shown import Sentence

_ROUTERS = (
    catalog.router,
    images.router,
    search.router,
    pairs.router,
    maps.router,
    teach.router,
    role_models.router,
    runs.router,
    jobs.router,
)

_GONE = (
    "the catalog {} is no longer there; put it back where it was, or end the page (Ctrl-C) and start it with another "
    "one: doppelgram serve CATALOG"
)


def make_app(session: Session, access: Access) -> Any:
    """The application (ASGI): everything below ``/api`` is described by ``/api/openapi.json``.

    Args:
        session: what is open.
        access: who may ask.
    """
    app = FastAPI(
        title="Doppelgram",
        version=doppelgram.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses={status: {"model": Sentence} for status in (400, 403, 404, 405, 409, 410, 413, 422)},
    )
    app.state.session, app.state.access = session, access
    for router in _ROUTERS:
        app.include_router(router, prefix="/api")
    app.include_router(shell.router)

    def gone() -> JSONResponse:
        where = "" if session.kept is None else session.kept.folder
        return JSONResponse({"detail": _GONE.format(where)}, status_code=410)

    @app.exception_handler(DoppelgramError)
    def refused(request: Request, problem: DoppelgramError) -> JSONResponse:
        if session.lost:
            return gone()
        status = 404 if isinstance(problem, Missing) else 409 if isinstance(problem, Busy) else 422
        return JSONResponse({"detail": str(problem)}, status_code=status)

    @app.exception_handler(RequestValidationError)
    def unusable(request: Request, problem: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": sentence(problem.errors()[0])}, status_code=422)

    @app.exception_handler(HTTPException)
    def missing(request: Request, problem: HTTPException) -> JSONResponse:
        detail, headers = str(problem.detail), dict(problem.headers or {})
        if detail == "Not Found":
            detail = "there is no such page"
        elif problem.status_code == 405:
            allowed = ", ".join(_answered(app, request.url.path))
            headers = {"allow": allowed}
            detail = f"{request.method} is not answered at this address; ask with {allowed}"
        return JSONResponse({"detail": detail}, status_code=problem.status_code, headers=headers)

    @app.exception_handler(Exception)
    def failed(request: Request, problem: Exception) -> JSONResponse:
        if session.lost:
            return gone()
        return JSONResponse({"detail": f"this failed unexpectedly ({type(problem).__name__})"}, status_code=500)

    return Guard(app, access)


def _answered(app: FastAPI, path: str) -> list[str]:
    """The methods that an address is answered with, those of all its routes."""
    found = {"get"}
    for template, methods in app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path):
            found = {method for method in methods if method in ("get", "post", "put", "delete")}
            break
    return sorted({method.upper() for method in found} | ({"HEAD"} if "get" in found else set()))
