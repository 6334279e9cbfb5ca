"""Any vision backbone of the transformers library, from a local folder."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.backbone import CENTRED, IMAGENET, Backbone


class TransformersBackbone(Backbone):
    """Any vision backbone of the transformers library; pooled output, or the mean over positions without one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        for module in model.modules():
            # MobileNetV2 arrives with momentum 0.997, TensorFlow's meaning of the word: in torch it would make the
            # running statistics those of the last batch alone, and evaluation worthless after fine-tuning.
            if isinstance(module, nn.BatchNorm2d) and module.momentum is not None and module.momentum > 0.5:
                module.momentum = 0.1
        config = model.config.to_dict()  # type: ignore[operator,union-attr]
        kept = {
            key: value for key, value in config.items() if key not in ("id2label", "label2id", "transformers_version")
        }
        self.spec = {"kind": "transformers", "model_type": config["model_type"], "config": kept}
        self.mean, self.std = CENTRED if config["model_type"].startswith(("mobilenet", "siglip", "vit")) else IMAGENET
        self.convolutional = any(
            isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) for module in model.modules()
        )
        # Position embeddings of ViT and SigLIP fit one size unless asked; DINOv2 always adapts and takes no such flag.
        adapts = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        self._options = {"interpolate_pos_encoding": True} if adapts else {}
        with torch.no_grad():
            was = model.training
            self.dim = int(self.eval()(torch.zeros(1, 3, 64, 64)).shape[1])
            self.train(was)

    def maps(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.model(pixel_values=x, **self._options).last_hidden_state
        if hidden.ndim != 4 or hidden.shape[1] != self.dim:
            raise DoppelgramError(
                f"backbone '{self.spec['model_type']}' has no map of features to be pooled otherwise; "
                "leave model.pooling empty"
            )
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        output = self.model(pixel_values=x, **self._options)
        pooled = getattr(output, "pooler_output", None)
        if pooled is not None:
            return torch.flatten(pooled, 1)
        hidden: Tensor = output.last_hidden_state
        return hidden.mean(1) if hidden.ndim == 3 else hidden.mean((2, 3))

    def _blocks(self) -> tuple[list[nn.Module], list[nn.Module], list[nn.Module]]:
        """What comes before the shallowest list of blocks, the blocks, and what comes after."""
        children = dict(self.model.named_children())
        lists = [
            (name, list(module))
            for name, module in self.model.named_modules()
            if isinstance(module, nn.ModuleList) and len(module)
        ]
        if not lists:
            return [], list(children.values()), []
        name, blocks = min(lists, key=lambda pair: pair[0].count("."))
        names = list(children)
        place = names.index(name.split(".")[0])
        return [children[key] for key in names[:place]], blocks, [children[key] for key in names[place + 1 :]]

    def last_layer(self) -> list[nn.Module]:
        # The last block, and whatever the model applies after that (norms, pooling).
        _, blocks, after = self._blocks()
        return [blocks[-1], *after]

    def layers_in_order(self) -> list[nn.Module]:
        before, blocks, after = self._blocks()
        return [*before, *blocks, *after]


def from_folder(folder: Path, stride: int) -> TransformersBackbone:
    """The model in a folder of the transformers layout, with another stride unless that is 0.

    Raises:
        DoppelgramError: the folder holds no such model, or one that leaves its stride no choice.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if stride:
            config = with_stride(config, stride)
        model = AutoModel.from_pretrained(
            folder, config=getattr(config, "vision_config", config), local_files_only=True, use_safetensors=True
        )
    except DoppelgramError:
        raise
    except Exception as problem:  # transformers raises many kinds for a folder that is not a model
        reason = " ".join(str(problem).split())[:200]
        raise DoppelgramError(f"{folder}: cannot be loaded as a transformers model: {reason}") from None
    return TransformersBackbone(model)


def with_stride(config: Any, stride: int) -> Any:
    """A transformers configuration with another stride; raises DoppelgramError where that is not offered."""
    if not hasattr(config, "output_stride"):
        raise DoppelgramError(f"backbone '{config.model_type}' has one stride only; leave model.stride at 0")
    if stride not in (8, 16, 32):
        raise DoppelgramError(f"model.stride is {stride}; it is 8, 16 or 32, or 0 for the backbone's own")
    config.output_stride = stride
    return config


def own_normalisation(folder: Path, backbone: Backbone) -> tuple[Any, Any]:
    """Mean and standard deviation of the folder's own preprocessing; the family's where it brings none."""
    file = folder / "preprocessor_config.json"
    if file.is_file():
        try:
            settings = json.loads(file.read_text(encoding="utf-8"))
            mean, std = (tuple(float(value) for value in settings[key]) for key in ("image_mean", "image_std"))
        except (ValueError, KeyError, TypeError):
            return backbone.mean, backbone.std
        if len(mean) == len(std) == 3 and all(std):
            return mean, std
    return backbone.mean, backbone.std
