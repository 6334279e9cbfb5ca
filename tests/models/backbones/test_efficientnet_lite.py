from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from doppelgram.errors import DoppelgramError
from doppelgram.models.backbones.efficientnet_lite import EfficientNetLite, _Convolution, lite2_from_file
from doppelgram.models.backbones.registry import make_backbone, rebuild_backbone
from doppelgram.models.compiled import compiled


def by_loops(image: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """TensorFlow's ``SAME`` convolution of one channel (h, w), from its definition."""
    size = kernel.shape[0]
    rows, columns = (-(-n // stride) for n in image.shape)
    above, left = (
        max((out - 1) * stride + size - n, 0) // 2 for out, n in zip((rows, columns), image.shape, strict=True)
    )
    found = torch.zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            for y in range(size):
                for x in range(size):
                    at = row * stride + y - above, column * stride + x - left
                    if 0 <= at[0] < image.shape[0] and 0 <= at[1] < image.shape[1]:
                        found[row, column] += image[at] * kernel[y, x]
    return found


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 6), (5, 7)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_padding_is_tensorflows(height: int, width: int, kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = _Convolution(1, 1, kernel, stride, act=False).eval()
    image = torch.randn(height, width)
    with torch.no_grad():
        found = layer(image[None, None])[0, 0] * (1 + 1e-3) ** 0.5  # undoes the batch norm of a new layer
        assert torch.allclose(found, by_loops(image, layer.conv.weight[0, 0], stride), atol=1e-5)


def test_lite2_has_the_published_sizes() -> None:
    backbone = EfficientNetLite()
    assert [block.project.conv.out_channels for block in backbone.blocks] == (  # type: ignore[union-attr]
        [16] + 3 * [24] + 3 * [48] + 4 * [88] + 4 * [120] + 5 * [208] + [352]
    )
    classifier = 1000 * 1281
    assert sum(parameter.numel() for parameter in backbone.parameters()) + classifier == 6_092_072
    with torch.no_grad():
        assert backbone.eval().maps(torch.zeros(1, 3, 320, 320)).shape == (1, 1280, 10, 10)


def test_it_is_rebuilt_from_its_description_and_compiled() -> None:
    torch.manual_seed(0)
    backbone = EfficientNetLite(0.2, 0.5).eval()
    rebuilt = rebuild_backbone(backbone.spec).eval()
    rebuilt.load_state_dict(backbone.state_dict())
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        features = backbone(images)
        assert torch.equal(rebuilt(images), features)
        assert torch.allclose(backbone.maps(images).mean((2, 3)), features)
    np.testing.assert_allclose(compiled(backbone, images[:1])(images.numpy()), features.numpy(), rtol=1e-3, atol=1e-5)


def test_the_weights_that_a_package_carries() -> None:
    backbone, random = make_backbone("efficientnet_lite2").eval(), make_backbone("efficientnet_lite2", pretrained=False)
    assert backbone.state_dict().keys() == random.state_dict().keys()
    with torch.no_grad():
        features = backbone(torch.zeros(1, 3, 64, 64))
    assert features.shape == (1, 1280)
    assert 0.01 < float(features.mean()) < 1.0
    with pytest.raises(DoppelgramError, match="one stride only"):
        make_backbone("efficientnet_lite2", stride=16)


def test_another_file_is_refused(tmp_path: Path) -> None:
    torch.save({"_fc.weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    with pytest.raises(DoppelgramError, match="not the weights of EfficientNet-Lite2"):
        lite2_from_file(tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("none")
    with pytest.raises(DoppelgramError, match="not the weights of EfficientNet-Lite2"):
        lite2_from_file(tmp_path / "text.pth")
