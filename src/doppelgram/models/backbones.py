"""Backbones: networks that turn a batch of images into feature vectors, each known by one name."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from doppelgram.errors import DoppelgramError
from doppelgram.models.weights import find_weights

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CENTRED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

# Architectures of transformers that can be had without any file, from random weights: name -> (model type, settings).
ARCHITECTURES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "resnet50": ("resnet", {}),
    "mobilenet_v2": ("mobilenet_v2", {}),
    "convnext_tiny": ("convnext", {}),
    "dinov2_small": ("dinov2", {"hidden_size": 384, "num_attention_heads": 6, "num_hidden_layers": 12}),
}


# Names that mean a backbone even where a folder is called the same; ./small means the folder.
BUILT_IN = ("small", "vgg16", "vgg16_bn", *ARCHITECTURES)


class Backbone(nn.Module):
    """Base of all backbones: ``forward(images (b, 3, h, w)) -> features (b, dim)``, the pooled `maps`.

    Attributes:
        spec: JSON-serialisable description from which `rebuild_backbone` makes the same architecture again.
        dim: number of features.
        mean, std: what images in [0, 1] are normalised with, by channel.
        convolutional: whether the channels_last memory layout helps.
    """

    spec: dict[str, Any]
    dim: int
    mean: tuple[float, float, float] = CENTRED[0]
    std: tuple[float, float, float] = CENTRED[1]
    convolutional = True

    def maps(self, x: Tensor) -> Tensor:
        """Features by place (b, dim, rows, columns), before they are pooled, where the backbone has such."""
        raise DoppelgramError(f"backbone '{self.spec['kind']}' has no map of features; leave model.pooling empty")

    def last_layer(self) -> list[nn.Module]:
        """Modules that are trained when only the last layer is."""
        raise NotImplementedError

    def layers_in_order(self) -> list[nn.Module]:
        """Stem and blocks from the image on, for freezing the first of them."""
        raise NotImplementedError


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    """Basic residual block (He et al. 2016), its last scale starting at zero so that the block starts as identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.second(self.first(x))))


class SmallNet(Backbone):
    """Our small residual net for 64x64 images: four stages, each halving the side; about 1.9 million parameters."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.spec = {"kind": "small", "width": width}
        self.dim = 8 * width
        sizes = [width, 2 * width, 4 * width, 8 * width]
        stages = [nn.Sequential(_conv(i, o, 2), _Residual(o)) for i, o in zip([3, *sizes[:-1]], sizes, strict=True)]
        self.stages = nn.ModuleList(stages)

    def maps(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = stage(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x).mean((2, 3))

    def last_layer(self) -> list[nn.Module]:
        return [self.stages[-1]]

    def layers_in_order(self) -> list[nn.Module]:
        return list(self.stages)


class VGG16(Backbone):
    """VGG16 (Simonyan and Zisserman 2015, configuration D), its 2x2 map at 64x64 flattened to 2,048 features."""

    PLAN = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
    mean, std = IMAGENET

    def __init__(self, batch_norm: bool = False) -> None:
        super().__init__()
        self.spec = {"kind": "vgg16", "batch_norm": batch_norm}
        self.dim = 2048
        layers: list[nn.Module] = []
        channels = 3
        for width in self.PLAN:
            if width == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            nn.init.kaiming_normal_(layers[-1].weight, nonlinearity="relu")  # type: ignore[arg-type]
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.pool(self.layers(x)).flatten(1)
        return features

    def last_layer(self) -> list[nn.Module]:
        return [next(layer for layer in reversed(self.layers) if isinstance(layer, nn.Conv2d))]

    def layers_in_order(self) -> list[nn.Module]:
        return [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]


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


def _from_folder(folder: Path, stride: int) -> TransformersBackbone:
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if stride:
            config = _with_stride(config, stride)
        model = AutoModel.from_pretrained(
            folder, config=getattr(config, "vision_config", config), local_files_only=True, use_safetensors=True
        )
    except DoppelgramError:
        raise
    except Exception as problem:  # transformers raises many kinds for a folder that is not a model
        reason = " ".join(str(problem).split())[:200]
        raise DoppelgramError(f"{folder}: cannot be loaded as a transformers model: {reason}") from None
    return TransformersBackbone(model)


def _with_stride(config: Any, stride: int) -> Any:
    if not hasattr(config, "output_stride"):
        raise DoppelgramError(f"backbone '{config.model_type}' has one stride only; leave model.stride at 0")
    if stride not in (8, 16, 32):
        raise DoppelgramError(f"model.stride is {stride}; it is 8, 16 or 32, or 0 for the backbone's own")
    config.output_stride = stride
    return config


def _normalisation(folder: Path, backbone: Backbone) -> tuple[Any, Any]:
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


def make_backbone(name: str, *, pretrained: bool = True, weights: Path | None = None, stride: int = 0) -> Backbone:
    """The backbone of that name.

    Args:
        name: ``small``, ``vgg16``, ``vgg16_bn``; a folder with a transformers model (``config.json`` and
            ``model.safetensors``); a name of weights (looked up in ``weights``, then as `find_weights` says); or,
            from random weights, one of ``resnet50``, ``mobilenet_v2``, ``convnext_tiny``, ``dinov2_small``.
        pretrained: whether weights in the folder are used; if not, only its architecture is.
        weights: folder to look weights up in.
        stride: pixels of the image to one place of the feature map, for backbones that leave the choice (MobileNet);
            half the stride gives four times the places from the same weights, by dilated convolutions. 0: its own.

    Raises:
        DoppelgramError: no such name, folder or weights; nothing is ever downloaded here.
    """
    if stride and name in ("small", "vgg16", "vgg16_bn"):
        raise DoppelgramError(f"backbone '{name}' has one stride only; leave model.stride at 0")
    if name == "small":
        return SmallNet()
    if name in ("vgg16", "vgg16_bn"):
        return VGG16(batch_norm=name.endswith("_bn"))
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
    backbone = _from_folder(folder, stride)
    backbone.mean, backbone.std = _normalisation(folder, backbone)
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
    if kind == "transformers":
        from transformers import AutoConfig, AutoModel

        settings = {key: value for key, value in spec["config"].items() if key != "model_type"}
        try:
            config = AutoConfig.for_model(spec["model_type"], **settings)
            if stride:
                config = _with_stride(config, stride)
            return TransformersBackbone(AutoModel.from_config(config))
        except (ValueError, KeyError, TypeError) as problem:
            reason = " ".join(str(problem).split())[:200]
            raise DoppelgramError(f"backbone '{spec['model_type']}' cannot be built: {reason}") from None
    raise DoppelgramError(f"backbone kind {kind!r} is not known; the model was written by another version or program")
