"""The server's application: routes, and errors as sentences."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import doppelgram
from doppelgram.errors import DoppelgramError
from doppelgram.web.jobs import Busy
from doppelgram.web.listing import Missing
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
        responses={status: {"model": Sentence} for status in (400, 403, 404, 409, 413, 422)},
    )
    app.state.session, app.state.access = session, access
    for router in _ROUTERS:
        app.include_router(router, prefix="/api")
    app.include_router(shell.router)

    @app.exception_handler(DoppelgramError)
    def refused(request: Request, problem: DoppelgramError) -> JSONResponse:
        status = 404 if isinstance(problem, Missing) else 409 if isinstance(problem, Busy) else 422
        return JSONResponse({"detail": str(problem)}, status_code=status)

    @app.exception_handler(RequestValidationError)
    def unusable(request: Request, problem: RequestValidationError) -> JSONResponse:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return JSONResponse({"detail": f"{where}: {first['msg']}"}, status_code=422)

    @app.exception_handler(HTTPException)
    def missing(request: Request, problem: HTTPException) -> JSONResponse:
        detail = "there is no such page" if problem.detail == "Not Found" else str(problem.detail)
        return JSONResponse({"detail": detail}, status_code=problem.status_code, headers=problem.headers)

    @app.exception_handler(Exception)
    def failed(request: Request, problem: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"this failed unexpectedly ({type(problem).__name__})"}, status_code=500)

    return Guard(app, access)
