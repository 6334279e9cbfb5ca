"""How an arrangement model's people are found: by which programs, in photographs of what size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.images.whole import WholePhotograph

READY_MADE = "keypoints"
"""Name of the estimator that looks keypoints up in a file instead of looking at the photograph."""


@dataclass(frozen=True)
class FinderSettings:
    """Which programs find people for a model, by name and by what decides their output.

    The networks that they run are not part of a saved model: they are looked up by name where it is used, and refused
    if their keys are other ones than those it was trained with.

    Attributes:
        estimator: name of the pose estimator.
        estimator_key: of its weights and settings; empty where any will do, as with ready-made keypoints.
        segmenter: name of the person segmenter; empty for none.
        segmenter_key: of its weights and settings.
        longest: long side in pixels to which photographs are made smaller before anything looks at them.
    """

    estimator: str = READY_MADE
    estimator_key: str = ""
    segmenter: str = ""
    segmenter_key: str = ""
    longest: int = 1280

    def __post_init__(self) -> None:
        for name in ("estimator", "estimator_key", "segmenter", "segmenter_key"):
            if not isinstance(getattr(self, name), str):
                raise DoppelgramError(f"people finder: '{name}' is {getattr(self, name)!r}; it must be text")
        if not self.estimator:
            raise DoppelgramError("people finder: 'estimator' is empty; name a pose estimator")
        WholePhotograph(self.longest)

    @property
    def framing(self) -> WholePhotograph:
        """How a photograph is read."""
        return WholePhotograph(self.longest)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FinderSettings:
        """Read what `to_dict` wrote.

        Raises:
            DoppelgramError: a key is missing, unknown or holds something unusable; the key is named.
        """
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            differing = ", ".join(map(repr, sorted(known ^ set(values))))
            raise DoppelgramError(f"people finder: {differing} missing or not known")
        return cls(**values)
