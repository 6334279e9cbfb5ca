"""Lower precision only where it finds the same: bf16 is tried on some of somebody's photographs before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from doppelgram.images.read import Want, read
from doppelgram.models.embedder import Embedder, embed_stream
from doppelgram.models.runtime import AUTO, bf16_is_fast, in_bulk
from doppelgram.space.exact import Float32
from doppelgram.space.space import Space

_SAMPLE = 128
# Photographs below which trying would take longer than bf16 saves, and usable ones below which a sample says nothing.
_WORTH_IT, _ENOUGH = 1000, 64
_SAME_NEIGHBOUR, _OTHER_VERDICT = 0.99, 0.001


@dataclass(frozen=True)
class Agreement:
    """How far vectors of lower precision lead to the same answers; queries are embedded in full precision.

    Attributes:
        photographs: that were compared with each other.
        same_neighbour: share of them whose nearest neighbour stays.
        other_verdict: share of pairs that change sides of the distance up to which images count as the same; 0 for
            models without calibration.
    """

    photographs: int
    same_neighbour: float
    other_verdict: float

    @property
    def good(self) -> bool:
        """Whether a catalog may be filled in the lower precision and searched in the full one."""
        return (
            self.photographs >= _ENOUGH
            and self.same_neighbour >= _SAME_NEIGHBOUR
            and self.other_verdict <= _OTHER_VERDICT
        )


def agreement(space: Space, exact: Float32, quick: Float32) -> Agreement:
    """Compare vectors (n, dim) in full precision with those of the same photographs in a lower one."""
    count = len(exact)
    if count < 2:
        return Agreement(count, 0.0, 0.0)
    names = np.array([str(row) for row in range(count)])
    was, now = (
        space.index(gallery, names).nearest(exact, 1, query_ids=names).positions[:, 0] for gallery in (exact, quick)
    )
    moved = 0.0
    if space.even is not None:
        first, second = np.triu_indices(count, 1)
        sides = [space.distance(exact[first], gallery[second]) <= space.even for gallery in (exact, quick)]
        moved = float(np.mean(sides[0] != sides[1]))
    return Agreement(count, float(np.mean(was == now)), moved)


def for_many(
    model: Embedder, paths: Sequence[Path], want: Want, wanted: str = AUTO, precision: str = AUTO
) -> tuple[Embedder, str]:
    """The model as it embeds many photographs fastest, and a remark if bf16 was tried and left.

    Args:
        model: of any kind.
        paths: the photographs. Of a thousand or more some are embedded in both precisions.
        want: what is read of them.
        wanted, precision: of `runtime.in_bulk`; in precision ``auto`` bf16 is used if it is faster and finds the same.

    Raises:
        DoppelgramError: there is no such runtime or precision on this machine.
    """
    runtime = in_bulk(wanted, precision)
    model = model.with_runtime(runtime)
    if precision != AUTO or model.runtime is None or len(paths) < _WORTH_IT or not bf16_is_fast(runtime):
        return model, ""
    quick = model.with_runtime(replace(runtime, precision="bf16"))
    found = tried(model, quick, [paths[row] for row in np.linspace(0, len(paths) - 1, _SAMPLE).astype(int)], want)
    if found.good:
        return quick, ""
    if found.photographs < _ENOUGH:
        return model, f"fp32, since only {found.photographs} of {_SAMPLE} photographs could be read to try bf16 on"
    return model, (
        f"fp32, since in bf16 the nearest neighbour stays the same for {100 * found.same_neighbour:.1f} % of "
        f"{found.photographs} of these photographs; {100 * _SAME_NEIGHBOUR:.0f} % are asked, and of verdicts "
        f"{100 - 100 * _OTHER_VERDICT:.1f} % ({100 - 100 * found.other_verdict:.1f} % stay)"
    )


def tried(model: Embedder, quick: Embedder, paths: Sequence[Path], want: Want) -> Agreement:
    """The agreement of two precisions of one model on photographs; those that cannot be read are left out."""
    exact, lower = [], []
    with closing(read(paths, replace(want, thumbnail=0), ahead=model.at_once)) as photographs:
        for piece, embedded in embed_stream(model, photographs):
            exact.append(embedded.vectors)
            lower.append(quick.embed(piece).vectors)
    empty = np.empty((0, model.dim), dtype=np.float32)
    return agreement(model.space, np.concatenate([empty, *exact]), np.concatenate([empty, *lower]))
