"""A trace in short, as ``summary.json`` has it, and what its figures depend on."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from doppelgram.dataset.collection import Collection
from doppelgram.rolemodels.findings import headline
from doppelgram.rolemodels.result import RoleModels

if TYPE_CHECKING:
    from doppelgram.models.arrangement import ArrangementModel

REPORT_FILE = "report.html"

_COLUMNS = [
    *("path", "author", "timestamp", "place", "arrangement", "score", "influence", "originality", "followers"),
    *("total_followers", "excess", "origin", "spread_p", "spread_q", "rank_low", "rank_high"),
]


def summary(found: RoleModels, out: Path | str | None = None) -> dict[str, Any]:
    """What a trace found in short, as JSON writes it."""
    return {
        "headline": headline(found),
        "counts": found.counts,
        "overall": {name: _plain(value) for name, value in found.overall.items()},
        "threshold": found.threshold,
        "decay_days": _plain(found.decay_days),
        "settings": found.settings.to_dict(),
        "notes": list(found.notes),
        "role_models": [
            {name: _plain(value) for name, value in zip(_COLUMNS, row, strict=True)}
            for row in found.leaders[_COLUMNS].head(found.settings.top).itertuples(index=False)
        ],
        **({"report": str(Path(out) / REPORT_FILE)} if out is not None else {}),
    }


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z")
    return value.item() if isinstance(value, np.generic) else value


def versions(model: ArrangementModel) -> dict[str, str]:
    """Programs and versions that the figures depend on."""
    finder_settings = model.finder_settings
    return {
        "Doppelgram": version("doppelgram"),
        "Python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy")},
        "model": model.fingerprint[:12],
        "people found by": f"{finder_settings.estimator} {finder_settings.estimator_key}".strip(),
        "people masked by": f"{finder_settings.segmenter} {finder_settings.segmenter_key}".strip(),
    }


def title_of(source: Collection | Path) -> str:
    """A report's title, by the folder that its posts come from."""
    name = (source.root if isinstance(source, Collection) else source).resolve()
    if not isinstance(source, Collection) and name.is_file():
        name = name.parent if name.stem.startswith("posts") else name.with_suffix("")
    return f"Role models: {name.name}"
