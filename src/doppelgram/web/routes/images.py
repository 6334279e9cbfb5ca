"""The catalog's photographs: lists of them, the small pictures, the photographs themselves."""

from __future__ import annotations

import json
import threading
from io import BytesIO
from pathlib import Path as File
from typing import Annotated

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from doppelgram.catalog.findings import FOUND_COLUMNS, face_box_from, people_from
from doppelgram.images.read import Want, read_all
from doppelgram.images.whole import WholePhotograph
from doppelgram.web.listing import Missing
from doppelgram.web.routes.common import (
    NO_PHOTOGRAPH,
    Asked,
    Filtered,
    RowId,
    face_shown,
    image_shown,
    moment,
    people_shown,
)
from doppelgram.web.shown import ImageFacts, ImagesShown

router = APIRouter(tags=["images"])

_FOREVER = "private, max-age=31536000, immutable"
_SIDE = 1600
_DECODING = threading.Semaphore(2)


@router.get("/images")
def images(
    session: Asked,
    filters: Filtered,
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 60,
) -> ImagesShown:
    """Rows of the catalog that pass the filters, a page of them."""
    if not len(session.catalog):
        return ImagesShown(total=0, images=[])
    listing = session.listing()
    allowed = filters.among(listing)
    rows = np.arange(len(listing.facts)) if allowed is None else np.flatnonzero(allowed)
    shown = [image_shown(listing, row) for row in rows[offset : offset + limit].tolist()]
    session.keep_thumbnails([image.id for image in shown])
    return ImagesShown(total=len(rows), images=shown)


@router.get("/images/{image}/facts")
def facts(session: Asked, image: RowId) -> ImageFacts:
    """All that is known of a photograph."""
    row = session.row(image)
    if row is None:
        raise Missing(NO_PHOTOGRAPH)
    columns = json.loads(row["columns"] or "{}")
    face = face_box_from(columns)
    return ImageFacts(
        id=image,
        name=row["name"],
        label=row["label"],
        author=row["author"],
        timestamp=moment(row["timestamp"]),
        path=row["path"],
        here=File(row["path"]).is_file(),
        columns={name: value for name, value in columns.items() if name not in FOUND_COLUMNS},
        faces=[face_shown(face)] if face else [],
        people=people_shown(people_from(columns)),
    )


@router.get("/images/{image}/thumbnail", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def thumbnail(session: Asked, request: Request, image: RowId) -> Response:
    """The small picture (JPEG) that the catalog keeps, also of photographs that are gone."""
    headers = {"cache-control": _FOREVER, "etag": f'"{image}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    found = session.thumbnail(image)
    if found is None:
        raise Missing(NO_PHOTOGRAPH)
    return Response(found, media_type="image/jpeg", headers=headers)


@router.get("/images/{image}", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def photograph(session: Asked, request: Request, image: RowId) -> Response:
    """The photograph, upright, as a JPEG of at most 1,600 pixels a side."""
    headers = {"cache-control": "private, max-age=86400", "etag": f'"{image}-{_SIDE}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    row = session.row(image)
    if row is None:
        raise Missing(NO_PHOTOGRAPH)
    # It is drawn anew, never passed on as it is: what is sent is a JPEG, whatever the file is.
    with _DECODING:
        found = read_all([row["path"]], Want(WholePhotograph(_SIDE)))[0] if File(row["path"]).is_file() else None
    if found is None or found.pixels is None:
        raise HTTPException(404, f"the photograph is no longer at {row['path']}; only its small picture is kept")
    from PIL import Image

    picture = Image.fromarray(np.asarray(found.pixels))
    picture.thumbnail((_SIDE, _SIDE))
    file = BytesIO()
    picture.save(file, "JPEG", quality=88)
    return Response(file.getvalue(), media_type="image/jpeg", headers=headers)
