"""Grad-CAM of a pair: the places of two feature maps that the similarity of the photographs is made of.

Grad-CAM (Selvaraju et al. 2017) multiplies the activations of the last feature map by the slope of a score. The score
here is the cosine of both embeddings, as in Stylianou, Souvenir and Pless, "Visualizing deep similarity networks"
(2019), and the products are taken place by place, not with the mean slope (HiResCAM, Draelos and Carin 2020), so that
pooling that weighs places is followed. Two things are done so that the map is also that of the cosine where it is
greatest, and its sum is the cosine:

- Lengths to which vectors are scaled, and the sum in a softmax, are held. With them a pair of equal photographs would
  have no slope and no map.
- What the activations do not account for, such as the bias of the last layer or the mean that is subtracted, is shared
  out over the places by the lengths of their slopes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.models.fusion import MINIMUM
from doppelgram.models.networks.embedding import SCALE, EmbeddingHead, evaluating
from doppelgram.models.place_tower import MaskedTower
from doppelgram.models.towers import ImageTower, Tower
from doppelgram.saliency.maps import GRAD_CAM, OCCLUSION

DifferentiableTower = ImageTower | MaskedTower


@dataclass(frozen=True)
class Contributions:
    """What a cosine of two embeddings is made of.

    Attributes:
        maps: of each tower float64 (2, rows, columns), over the square that it is shown of either photograph. Of towers
            that give no class probabilities, the sum over places and towers is the similarity, for either photograph.
        similarity: the cosine.
    """

    maps: list[NDArray[np.float64]]
    similarity: float


@dataclass(frozen=True)
class _Pass:
    """Both photographs once through one tower."""

    tower: int
    flipped: bool
    map: Tensor  # (2, channels, rows, columns)
    linear: Tensor  # (2, dim), of which the embedding is a function
    embedding: Tensor  # (2, dim)


def by_gradient(
    towers: Sequence[Tower],
    inputs: Sequence[NDArray[np.uint8]],
    method: str,
    *,
    fuse: bool = False,
    centre: NDArray[np.float64] | None = None,
) -> Contributions | None:
    """`contributions`, or None where another method is asked for or the towers do not allow it.

    Raises:
        DoppelgramError: Grad-CAM is asked for where the towers do not allow it.
    """
    found = None
    followed = [tower for tower in towers if isinstance(tower, ImageTower | MaskedTower)]
    if method != OCCLUSION and followed and len(followed) == len(towers):
        found = contributions(followed, inputs, fuse=fuse, centre=centre)
    if found is None and method == GRAD_CAM:
        raise DoppelgramError(
            f"this model has no map of features that {GRAD_CAM} could follow; use the method {OCCLUSION}"
        )
    return found


def contributions(
    towers: Sequence[DifferentiableTower],
    inputs: Sequence[NDArray[np.uint8]],
    *,
    fuse: bool = False,
    centre: NDArray[np.float64] | None = None,
) -> Contributions | None:
    """How much each place of two photographs adds to the cosine of their embeddings.

    Args:
        towers: whose embeddings make up that of a photograph.
        inputs: what each is shown of both, uint8 (2, size, size, channels).
        fuse: whether embeddings are joined as `doppelgram.models.fusion.fused` joins them; without, there is one tower.
        centre: what is subtracted from an embedding of length one before the cosine; empty for nothing.

    Returns:
        None where a network ends in no map of features by place, such as a vision transformer.
    """
    passes: list[_Pass] = []
    with torch.enable_grad():
        for number, (tower, squares) in enumerate(zip(towers, inputs, strict=True)):
            found = _passes(number, tower, squares)
            if not found:
                return None
            passes += found
        each = [
            _unit(torch.stack([one.embedding for one in passes if one.tower == n]).mean(0)) for n in range(len(towers))
        ]
        joined = _fused(each, towers) if fuse else each[0]
        rest = np.zeros(2)
        if centre is None or not len(centre):
            centred = _unit(joined)
        else:
            moved = joined - torch.from_numpy(centre.astype(np.float32))
            centred = _unit(moved)
            # What the centre itself contributes to the cosine, which no place of a map does.
            others = centred.detach().flip(0) / moved.detach().norm(dim=1, keepdim=True)
            rest = -(others.double().numpy() @ centre)
        similarity = (centred[0] * centred[1]).sum()
        targets = [one.linear for one in passes] + [one.map for one in passes]
        slopes = torch.autograd.grad(similarity, targets)
    maps: list[Any] = [0.0] * len(towers)
    for one, above, slope in zip(passes, slopes[: len(passes)], slopes[len(passes) :], strict=True):
        wanted = (above * one.linear).sum(1).detach().double().numpy() + rest / len(passes)
        place = _shared((slope * one.map).sum(1), slope, wanted)
        maps[one.tower] = maps[one.tower] + (place[:, :, ::-1] if one.flipped else place)
    return Contributions(maps, float(similarity.detach()))


def _shared(products: Tensor, slope: Tensor, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Contributions (2, rows, columns), what they lack of the sums (2,) that are wanted being shared out."""
    own = products.detach().double().numpy()
    strength = slope.detach().double().norm(dim=1).numpy()
    total = strength.sum((1, 2), keepdims=True)
    share = strength / np.where(total > 0, total, 1.0)
    return np.asarray(own + (wanted - own.sum((1, 2)))[:, None, None] * share)


def _passes(number: int, tower: DifferentiableTower, squares: NDArray[np.uint8]) -> list[_Pass]:
    """The photographs, and mirrored where the tower looks at both; none where there is no map.

    Further copies that a model looks at are left out: they are the photograph itself, moved by a little.
    """
    network: Any = tower.network
    images = torch.from_numpy(squares.copy()).permute(0, 3, 1, 2).float().div(255)
    found = []
    with evaluating(network), _last_map(network.backbone) as maps:
        for flipped in (False, True) if getattr(tower, "mirror", False) else (False,):
            maps.clear()
            given = images.flip(3) if flipped else images
            given = given.clone().requires_grad_()  # else a frozen network would leave nothing to follow back
            if isinstance(tower, MaskedTower):
                linear = embedding = tower.network(given)
            else:
                linear, embedding = held(tower.network.head, tower.network.features(given))
            if not maps or maps[-1].ndim != 4:
                return []
            found.append(_Pass(number, flipped, maps[-1], linear, embedding))
    return found


@contextmanager
def _last_map(backbone: Any) -> Iterator[list[Tensor]]:
    """A list that gets what each layer of a backbone gives by place, in order, while an image goes through it.

    Maps of convolutional networks have four axes, the tokens of transformers three.
    """
    maps: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, Tensor) and (output.ndim == 3 or (output.ndim == 4 and output[0, 0].numel() > 1)):
            maps.append(output)

    hooks = [module.register_forward_hook(keep) for module in backbone.layers_in_order()]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def held(head: EmbeddingHead, features: Tensor) -> tuple[Tensor, Tensor]:
    """What a head's last layer gives (b, dim), and its embeddings (b, dim) with everything held that scales them.

    Of class probabilities the mean log-odds are subtracted first: what speaks for every class speaks for none.
    """
    if not head.posterior:
        linear: Tensor = head.layers(features).float()
        return linear, _unit(linear) if head.normalise else linear
    logits = head.layers(SCALE * _unit(features.float()))
    linear = logits - logits.mean(1, keepdim=True)
    scaled = linear / head.posterior
    return linear, (0.5 * (scaled - scaled.logsumexp(1, keepdim=True).detach())).exp()


def _unit(vectors: Tensor) -> Tensor:
    """Rows of length one, the lengths held."""
    scaled: Tensor = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-12).detach()
    return scaled


def _fused(parts: Sequence[Tensor], towers: Sequence[DifferentiableTower]) -> Tensor:
    """`doppelgram.models.fusion.fused` of embeddings (2, d1), (2, d2), ..., the lengths held."""
    side, product = [], None
    for part, tower in zip(parts, towers, strict=True):
        if tower.gives_class_probabilities:
            opinion = part.clamp_min(MINIMUM) ** tower.weight
            product = opinion if product is None else product * opinion
        else:
            side.append(part * tower.weight)
    return _unit(torch.cat([*([] if product is None else [_unit(product)]), *side], dim=1))
