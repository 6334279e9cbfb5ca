"""Two photographs compared by place and pose: figures, reasons in words, and the bars of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.images.read import Want, read_all
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.finder import open_finder, people_in
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.numbers import percent, probability
from doppelgram.pose.extras import MASK
from doppelgram.pose.findings import caption, contradicts, pose_sentences, subtitle, summary
from doppelgram.pose.normalise import normalised
from doppelgram.pose.people import People
from doppelgram.pose.reasons import ALIKE, DIFFERENT, PoseReasons, compare_limbs
from doppelgram.pose.segmenter import PersonMask
from doppelgram.pose.similarity import limb_cosine, oks
from doppelgram.pose.skeleton import mirrored
from doppelgram.reports.pair_picture import Bar, PairPicture, Shown
from doppelgram.saliency.arrangement import Side
from doppelgram.space.arrangement import PLACE, POSE
from doppelgram.space.space import PairResult
from doppelgram.view.same_view import SameView, view_sentence

# People whose poses are compared where there is no model to say how many.
_PEOPLE = 2


@dataclass(frozen=True)
class ImageComparison:
    """What two photographs have in common.

    Attributes:
        image_a: path as given.
        image_b: path as given.
        people_a: people in the first whose pose counts.
        people_b: in the second.
        joints: how many joints of the compared people are known in both; 0 if nobody can be compared.
        limbs: body part to the degrees between its directions in both.
        mirrored: whether the second person was compared as in a mirror.
        oks: object keypoint similarity of the normalised skeletons, 0 to 1; None if nobody can be compared.
        limb_cosine: mean cosine between the directions of limbs, -1 to 1; None likewise.
        place_probability: of the same place; None without a model.
        pose_probability: of the same pose, the prior where nobody was found; None without a model.
        probability: of the same pose before the same place; None without a model.
        threshold: probability from which on the verdict is "same"; None without a model.
        same: the verdict; None without a model.
        verdict: in a few words.
        why: sentences.
        view_points: matched points of the same view, 0 where they are too few to say so; None where nobody looked.
        picture: path of the picture that was drawn, as given; None without one.
    """

    image_a: str
    image_b: str
    people_a: int
    people_b: int
    joints: int
    limbs: dict[str, float]
    mirrored: bool
    oks: float | None
    limb_cosine: float | None
    place_probability: float | None
    pose_probability: float | None
    probability: float | None
    threshold: float | None
    same: bool | None
    verdict: str
    why: list[str]
    view_points: int | None = None
    picture: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        limbs = {name: round(degrees, 1) for name, degrees in self.limbs.items()}
        return {**vars(self), "limbs": limbs}


@dataclass(frozen=True)
class SeenPhotograph:
    """One of the two, read and looked at."""

    path: str
    pixels: NDArray[np.uint8]
    people: People
    count: int  # of people whose pose counts, those of whom only the outline was found included
    mask: PersonMask | None = None  # where people cover the place, if the model looks at that
    vector: NDArray[np.float32] | None = None  # what the model made of it, if there is one


def photographs_with_people(
    settings: FinderSettings,
    weights: Path | str | None,
    keypoints: Path | str | None,
    paths: Sequence[Path],
    names: Sequence[str],
) -> list[SeenPhotograph]:
    finder = open_finder(
        settings, *(Path(given).expanduser() if given is not None else None for given in (weights, keypoints))
    )
    finder.require_named(paths, every=True)
    photographs = read_all(paths, Want(settings.framing, extras=finder.extras))
    pixels = [np.asarray(photograph.pixels) for photograph in photographs]
    counted = [people_in(photograph)[0].most_prominent(_PEOPLE) for photograph in photographs]
    return [SeenPhotograph(*facts, len(facts[2])) for facts in zip(names, pixels, counted, strict=True)]


def compared_by(
    model: ArrangementModel, paths: Sequence[Path], names: Sequence[str]
) -> tuple[list[SeenPhotograph], PairResult]:
    model.require_named(paths, every=True)
    read = read_all(paths, model.want)
    found = model.embed(read)
    counts = model.space.people_shown(found.vectors).tolist()
    pixels = [np.asarray(one.pixels) for one in read]
    masks = [one.extras.get(MASK) for one in read]
    people = found.people or []
    facts = zip(names, pixels, people, counts, masks, found.vectors, strict=True)
    photographs = [SeenPhotograph(*each) for each in facts]
    return photographs, model.space.compare(found.vectors[:1], found.vectors[1:])


def _pair(photographs: Sequence[SeenPhotograph]) -> tuple[PoseReasons | None, tuple[int | None, int | None]]:
    """The two people that fit best, limb by limb, and the reasons; nobody where a photograph shows nobody."""
    first, second = (one.people.keypoints for one in photographs)
    best: tuple[PoseReasons | None, tuple[int | None, int | None]] = (None, (None, None))
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            reasons = compare_limbs(a, b)
            if best[0] is None or reasons.mean < best[0].mean or np.isnan(best[0].mean):
                best = reasons, (i, j)
    return best


def _skeleton_figures(
    photographs: Sequence[SeenPhotograph], reasons: PoseReasons | None, which: tuple[int | None, int | None]
) -> tuple[float | None, float | None]:
    if reasons is None or which[0] is None or which[1] is None:
        return None, None
    a, b = photographs[0].people.keypoints[which[0]], photographs[1].people.keypoints[which[1]]
    pair = normalised(np.stack([a, mirrored(b) if reasons.mirrored else b]))
    figures = float(oks(pair[0], pair[1])), float(limb_cosine(pair[0], pair[1]))
    return tuple(None if np.isnan(value) else value for value in figures)  # type: ignore[return-value]


def _facts(
    photographs: Sequence[SeenPhotograph],
) -> tuple[dict[str, Any], PoseReasons | None, tuple[int | None, int | None]]:
    reasons, which = _pair(photographs)
    similarity, cosine = _skeleton_figures(photographs, reasons, which)
    facts = {
        "image_a": photographs[0].path,
        "image_b": photographs[1].path,
        "people_a": photographs[0].count,
        "people_b": photographs[1].count,
        "joints": reasons.keypoints if reasons else 0,
        "limbs": reasons.degrees if reasons else {},
        "mirrored": reasons.mirrored if reasons else False,
        "oks": similarity,
        "limb_cosine": cosine,
    }
    return facts, reasons, which


def by_skeleton(
    photographs: Sequence[SeenPhotograph],
) -> tuple[ImageComparison, PoseReasons | None, tuple[int | None, int | None]]:
    facts, reasons, which = _facts(photographs)
    if reasons is None or not reasons.degrees:
        verdict = "The poses cannot be compared"
    elif reasons.mean <= ALIKE:
        verdict = "The poses are alike"
    else:
        verdict = "The poses differ" if reasons.mean >= DIFFERENT else "The poses are alike in part"
    why = [*_words_of_pose(photographs, reasons), "Place: not judged without a model."]
    facts |= dict.fromkeys(("place_probability", "pose_probability", "probability", "threshold", "same"))
    return ImageComparison(**facts, verdict=verdict, why=why), reasons, which


def by_model(
    model: ArrangementModel, photographs: Sequence[SeenPhotograph], compared: PairResult
) -> tuple[ImageComparison, PoseReasons | None, tuple[int | None, int | None]]:
    facts, reasons, which = _facts(photographs)
    place, pose = (float(compared.parts[name].probability[0]) for name in (PLACE, POSE))
    place_distance, pose_distance = (float(compared.parts[name].distance[0]) for name in (PLACE, POSE))
    both = 1 - float(compared.distance[0]) if compared.probability is None else float(compared.probability[0])
    threshold = model.calibration.threshold
    same, unknown = both >= threshold, bool(np.isnan(pose_distance))
    calibration = model.calibration.place
    even = calibration.intercept / calibration.slope
    why = [
        f"Place: {probability(place)} likely the same. The places lie {place_distance:.2f} apart; at "
        f"{even:.2f} same and different would be equally likely."
    ]
    if unknown:
        why += _words_of_pose(photographs, None)
        why.append(f"The pose counts as unknown, which is taken as {probability(pose)}.")
    else:
        why.append(f"Pose: {probability(pose)} likely the same.")
        why += _words_of_pose(photographs, reasons)
        if reasons is not None and contradicts(reasons, pose):
            pictures = any(tower.sees == "person" for tower in model.pose)
            seen = ", and looks at the person's picture too" if pictures else ""
            why.append(
                f"The limbs' angles alone would say otherwise; the model has learned which of them matter{seen}."
            )
    # In whole percent the two may read alike although they are not.
    spelled = percent if probability(both) == probability(threshold) else probability
    why.append(
        f"Together: {spelled(both)}. The model calls two photographs the same from {spelled(threshold)} on, so these "
        f"are {'the same' if same else 'different'}."
    )
    verdict = summary(bool(same), place, None if unknown else pose)
    facts |= {"place_probability": place, "pose_probability": pose, "probability": both, "threshold": threshold}
    return ImageComparison(**facts, same=bool(same), verdict=verdict, why=why), reasons, which


def with_view(answer: ImageComparison, view: SameView, *, asked: bool) -> ImageComparison:
    """The answer with what matched points say of the view: nothing where they are few, unless somebody asked."""
    said = [view_sentence(view)] if view.said or asked else []
    return replace(answer, why=[*answer.why, *said], view_points=view.shown)


def picture_of(
    answer: ImageComparison,
    photographs: Sequence[SeenPhotograph],
    reasons: PoseReasons | None,
    which: tuple[int | None, int | None],
    bars: Sequence[Bar],
    footer: str,
) -> PairPicture:
    """What a picture of an answer shows, without matched points and maps."""
    unknown = answer.probability is not None and not (answer.people_a and answer.people_b)
    a, b = (
        Shown(one.pixels, one.people, found, Path(one.path).name, caption(one.count, one.people))
        for one, found in zip(photographs, which, strict=True)
    )
    line = subtitle(answer.probability, reasons, unknown=unknown)
    return PairPicture(answer.verdict, line, (a, b), bars, reasons, answer.why, footer, answer.threshold)


def both_sides(photographs: Sequence[SeenPhotograph]) -> tuple[Side, Side]:
    """Two photographs as `arrangement_saliency` takes them; a model has seen them."""
    a, b = (
        Side(
            one.pixels,
            one.people,
            None if one.mask is None else one.mask.at(one.pixels.shape[1], one.pixels.shape[0]),
            np.asarray(one.vector, dtype=np.float32),
        )
        for one in photographs
    )
    return a, b


def _words_of_pose(photographs: Sequence[SeenPhotograph], reasons: PoseReasons | None) -> list[str]:
    return pose_sentences([one.count for one in photographs], [len(one.people) for one in photographs], reasons)


def bars_of_model(answer: ImageComparison) -> list[Bar]:
    known = bool(answer.people_a and answer.people_b)
    seen = f"{answer.joints} keypoints in both" if answer.joints else "by the outlines"
    pose = seen if known else f"nobody found in {'one' if answer.people_a or answer.people_b else 'either'} of them"
    return [
        Bar("Place", answer.place_probability, "probability of the same place"),
        Bar("Pose", answer.pose_probability if known else None, f"probability of the same pose; {pose}"),
        Bar("Both", answer.probability, "the stroke: from here on the same"),
    ]


def bars_of_skeleton(answer: ImageComparison) -> list[Bar]:
    cosine = None if answer.limb_cosine is None else max(0.0, answer.limb_cosine)
    return [
        Bar("Joints", answer.oks, "object keypoint similarity, torsos laid over each other"),
        Bar("Limbs", cosine, "mean cosine between directions"),
    ]
