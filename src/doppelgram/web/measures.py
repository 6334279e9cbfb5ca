"""The figures of a training that the page draws, and what each curve means."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Measure(BaseModel):
    """A chart."""

    key: str
    title: str
    meaning: str = Field(description="What the curves mean, in a sentence or two.")
    lines: dict[str, str] = Field(description="What each column of the log is called in it.")


MEASURES = [
    Measure(
        key="loss",
        title="Loss",
        meaning="What training makes small. If the training loss falls while the validation loss rises, the network "
        "learns its training images by heart.",
        lines={"val_loss": "validation", "train_loss": "training"},
    ),
    Measure(
        key="precision",
        title="P@1",
        meaning="Share of validation images whose nearest neighbour is of the same class. It should rise.",
        lines={"val_precision_at_1": "validation"},
    ),
    Measure(
        key="map",
        title="MAP@R",
        meaning="How far all images of the same class come before the others, from 0 to 1. It tells more than P@1 "
        "where classes have many images.",
        lines={"val_map_at_r": "validation"},
    ),
    Measure(
        key="accuracy",
        title="Accuracy",
        meaning="Share of validation images, or pairs, that are named rightly.",
        lines={"val_accuracy": "validation"},
    ),
    Measure(
        key="distances",
        title="d+ and d−: same and different",
        meaning="d+ is the mean distance of two images of the same class, d− that of two of different classes. "
        "Learning drives them apart. In training they are taken over the pairs that the miner chose: hard mining keeps "
        "d− low and d+ high, because it picks the pairs that are still wrong.",
        lines={
            "val_positive_distance": "d+ validation",
            "val_negative_distance": "d− validation",
            "train_positive_distance": "d+ training",
            "train_negative_distance": "d− training",
        },
    ),
    Measure(
        key="active",
        title="Share of active triplets",
        meaning="How many of the triplets that the miner chose still have a loss. If it nears 0, there is nothing left "
        "to learn from them, and a harder miner helps; if it stays at 1 while d+ and d− meet, training has collapsed.",
        lines={"train_active": "of those that were chosen", "train_violated": "of all in the batch"},
    ),
    Measure(
        key="spread",
        title="Spread",
        meaning="Mean distance of the embeddings from their mean, near 1 where they fill the sphere. If it falls to 0, "
        "all images look alike to the network.",
        lines={"val_spread": "validation"},
    ),
    Measure(
        key="seconds",
        title="Seconds per epoch",
        meaning="How long an epoch took, on a machine that may have had other work to do.",
        lines={"seconds": "seconds"},
    ),
]
"""In the order of the page."""
