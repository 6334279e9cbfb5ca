"""What was found in a photograph of a catalog, people and faces: kept as text among its label columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from doppelgram.images.faces.face import FaceBox
from doppelgram.pose.people import People

# Beside the label columns of an image in which people, or a face, were looked for. No label column is likely to be
# called that.
PEOPLE_COLUMN = "people found"
FACE_COLUMN = "face crop"
# The face of the photograph that a row is of, by models of faces.
FACE_BOX_COLUMN = "face"
FOUND_COLUMNS = (PEOPLE_COLUMN, FACE_COLUMN, FACE_BOX_COLUMN)


def face_text(faces: int) -> str:
    """What became of an image's face, by the number of those that were found."""
    return {0: "none: the middle was taken", 1: "one"}.get(faces, f"several ({faces}), the largest taken")


def face_box_text(face: FaceBox) -> str:
    """A face as JSON: its number, how many there are, and its box as shares of the photograph's width and height."""
    return json.dumps({"number": face.number, "count": face.count, "box": [round(value, 4) for value in face.box]})


def face_box_from(columns: Mapping[str, str] | None) -> FaceBox | None:
    """What `face_box_text` wrote into an image's columns; None where there is none or the text is damaged."""
    try:
        value: dict[str, Any] = json.loads((columns or {})[FACE_BOX_COLUMN])
        left, top, width, height = (float(number) for number in value["box"])
        return FaceBox(int(value["number"]), int(value["count"]), (left, top, width, height))
    except (KeyError, ValueError, TypeError):
        return None


def people_text(people: People) -> str:
    """People as JSON: the photograph's size, and each person's 18 keypoints (x, y, confidence), null if missing."""
    persons = [
        [None if np.isnan(x) else [round(float(x), 1), round(float(y), 1), round(float(sure), 3)] for x, y, sure in one]
        for one in people.keypoints
    ]
    scores = [round(float(score), 3) for score in people.score]
    return json.dumps({"size": [people.width, people.height], "score": scores, "keypoints": persons})


def people_from(columns: Mapping[str, str] | None) -> People | None:
    """What `people_text` wrote into an image's columns; None where nobody was looked for or the text is damaged."""
    try:
        value: dict[str, Any] = json.loads((columns or {})[PEOPLE_COLUMN])
        missing = [float("nan"), float("nan"), 0.0]
        points = [[point or missing for point in person] for person in value["keypoints"]]
        keypoints = np.array(points, dtype=np.float32).reshape(-1, 18, 3)
        return People(keypoints, np.array(value["score"], dtype=np.float32), *value["size"])
    except (KeyError, ValueError, TypeError):
        return None
