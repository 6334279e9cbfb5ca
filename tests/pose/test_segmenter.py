from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.pose.segmenter import PersonMask, SegmentationModel, enlarged, make_segmenter
from helpers.tiny_networks import draw_people


@pytest.mark.parametrize(("width", "height"), [(130, 130), (200, 90), (60, 300)])
def test_deeplab_sees_the_photograph_letterboxed(deeplab_file: Path, width: int, height: int) -> None:
    image = draw_people(width, height, [(width / 2, height / 2, 40)])
    mask = make_segmenter("deeplab", segmenter_weights=deeplab_file).person_mask(image)
    truth = image[..., 0] > 0
    assert mask.shape == (height, width)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.75


def test_nobody_is_covered(deeplab_file: Path) -> None:
    segmenter = make_segmenter("deeplab", segmenter_weights=deeplab_file)
    assert not segmenter.person_mask(np.zeros((70, 50, 3), np.uint8)).any()


def test_another_network_is_refused(movenet_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DoppelgramError, match="is not DeepLab's network"):
        make_segmenter("deeplab", segmenter_weights=movenet_file)
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path))
    with pytest.raises(DoppelgramError, match="weights pull deeplab_v3_pascal"):
        make_segmenter("deeplab")
    with pytest.raises(DoppelgramError, match="'segformer' is neither"):
        make_segmenter("segformer")


def segformer(folder: Path, names: list[str], seen: int) -> Path:
    """A tiny network that calls every pixel the same."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        num_encoder_blocks=2,
        depths=[1, 1],
        sr_ratios=[2, 1],
        hidden_sizes=[8, 8],
        patch_sizes=[7, 3],
        strides=[4, 2],
        num_attention_heads=[1, 1],
        mlp_ratios=[1, 1],
        decoder_hidden_size=8,
        id2label=dict(enumerate(names)),
    )
    network = SegformerForSemanticSegmentation(config)
    torch.nn.init.zeros_(network.decode_head.classifier.weight)
    bias = torch.zeros(len(names))
    bias[seen] = 5
    network.decode_head.classifier.bias.data = bias
    network.save_pretrained(folder)
    return folder


def test_a_transformers_model_by_its_class_names(tmp_path: Path) -> None:
    names = ["wall", "person, individual", "sky"]
    image = np.zeros((40, 60, 3), np.uint8)
    people = make_segmenter(str(segformer(tmp_path / "people", names, 1)))
    sky = make_segmenter(str(segformer(tmp_path / "sky", names, 2)))
    assert isinstance(people, SegmentationModel)
    assert people.person_mask(image).all()
    assert not sky.person_mask(image).any()
    assert people.key != sky.key


def test_a_model_without_people_and_a_damaged_folder(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="knows no class 'person'"):
        SegmentationModel(segformer(tmp_path / "net", ["wall", "personal computer"], 0))
    (tmp_path / "net/config.json").write_text("{", encoding="utf-8")
    with pytest.raises(DoppelgramError, match="is not a transformers folder of a segmentation model"):
        SegmentationModel(tmp_path / "net")


def test_masks_are_compressed_and_come_back() -> None:
    y, x = np.mgrid[:300, :400]
    mask = (x - 200) ** 2 + (y - 150) ** 2 < 100**2
    kept = PersonMask.of(mask, 800, 600)
    assert len(kept.png) < 3000
    assert kept.at(kept.width, kept.height).shape == (600, 800)
    assert (kept.at(400, 300) != mask).mean() < 0.01
    assert kept.at(kept.width, kept.height).mean() == pytest.approx(mask.mean(), abs=0.005)
    assert enlarged(mask, 400, 300) is mask
