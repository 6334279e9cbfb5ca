"""Training by open-metric-learning's pipeline, from a table and a configuration."""

import os

import torch
from torch_only import finish, import_torchvision, job, small_net, trained

import_torchvision()
told = job()
os.chdir(told["out"])
# begin
from pathlib import Path

import pandas as pd
import yaml
from oml.interfaces.models import IExtractor
from oml.lightning.pipelines.train import extractor_training_pipeline
from oml.registry import EXTRACTORS_REGISTRY, TRANSFORMS_REGISTRY
from torchvision import transforms


class SmallExtractor(IExtractor):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(small_net(), torch.nn.Linear(256, 64))

    def forward(self, images):
        return self.layers(images)

    @property
    def feat_dim(self):
        return 64


def change(training):
    return transforms.Compose(
        [
            transforms.Resize((told["size"], told["size"])),
            transforms.RandomAffine(15, translate=(0.08, 0.08), scale=(0.8, 1.2))
            if training
            else transforms.Lambda(_same),
            transforms.ColorJitter(0.4, 0.4, 0.4, 0.02) if training else transforms.Lambda(_same),
            transforms.RandomHorizontalFlip(0.5 if told["flip"] and training else 0),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
            transforms.RandomErasing(0.2 if training else 0),
        ]
    )


def _same(image):
    return image


EXTRACTORS_REGISTRY["small"] = SmallExtractor
TRANSFORMS_REGISTRY["change"] = change
rows = []
for part, kind in (("train", "train"), ("val", "validation")):
    for file in sorted(Path(told[part]).glob("*/*")):
        asked = None if part == "train" else True
        rows.append(
            {"label": file.parent.name, "path": str(file), "split": kind, "is_query": asked, "is_gallery": asked}
        )
table = pd.DataFrame(rows)
table["label"] = pd.factorize(table["label"])[0]
table.to_csv("images.csv", index=False)
config = yaml.safe_load(Path(told["config"]).read_text())
config["seed"] = told["seed"]
config["max_epochs"] = config["valid_period"] = told["epochs"]
config["bs_train"] = told["batch"]
config["criterion"]["args"]["num_classes"] = int(table["label"].max()) + 1
steps = told["epochs"] * ((table["split"] == "train").sum() // told["batch"])
config["scheduling"]["scheduler"]["args"]["total_steps"] = int(steps)
extractor_training_pipeline(config)
# end
seconds = trained()
network = SmallExtractor()
kept = torch.load(Path("checkpoints", "best.ckpt"), weights_only=False)["state_dict"]
network.load_state_dict({name[6:]: tensor for name, tensor in kept.items() if name.startswith("model.")})
finish(network, told, seconds)
