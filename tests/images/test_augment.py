"""Colour and geometry on a batch, against Pillow, colorsys and loops."""

import colorsys
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from doppelgram.errors import DoppelgramError
from doppelgram.images import augment as module
from doppelgram.images.augment import augment, colour_matrices, to_float
from doppelgram.images.augmentation import Augmentation
from doppelgram.images.colour import grey_means
from helpers.image_files import photo

LUMA = torch.tensor([0.299, 0.587, 0.114])
EVERYTHING = Augmentation(0.3, 0.3, 0.3, 0.1, True, 20, 0.2, 0.1, 0.1, 0.5, coarse=0.5, erase=0.5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(count: int, height: int = 12, width: int = 12) -> torch.Tensor:
    return to_float(np.stack([np.asarray(photo(width, height, seed)) for seed in range(count)]))


def recoloured(image: torch.Tensor, brightness: float, contrast: float, saturation: float, hue: float) -> torch.Tensor:
    factors = (torch.tensor([value], dtype=torch.float32) for value in (brightness, contrast, saturation, hue))
    matrix = colour_matrices(*factors, grey_means(image[None]))[0]
    return torch.einsum("ij,jhw->ihw", matrix[:, :3], image) + matrix[:, 3, None, None]


@settings(max_examples=60, deadline=None)
@given(st.floats(0.8, 1.2), st.floats(0.7, 1.3), st.floats(0.6, 1.4), st.integers(0, 99))
def test_colour_against_pillow(brightness: float, contrast: float, saturation: float, seed: int) -> None:
    values = np.random.default_rng(seed).integers(90, 150, (6, 7, 3)).astype(np.uint8)
    image = Image.fromarray(values)
    image = ImageEnhance.Brightness(image).enhance(brightness)
    image = ImageEnhance.Contrast(image).enhance(contrast)
    image = ImageEnhance.Color(image).enhance(saturation)
    ours = recoloured(to_float(values[None])[0], brightness, contrast, saturation, 0)
    theirs = to_float(np.asarray(image)[None].copy())[0]
    # Pillow rounds after each of the three steps, and the mean grey to a whole number.
    assert (ours - theirs).abs().max() < 4 / 255


@pytest.mark.parametrize("enhance", ["Brightness", "Contrast", "Color"])
@pytest.mark.parametrize("factor", [0.0, 0.5, 1.3])
def test_each_colour_change_alone_against_pillow(enhance: str, factor: float) -> None:
    values = np.random.default_rng(3).integers(90, 150, (6, 7, 3)).astype(np.uint8)
    image = getattr(ImageEnhance, enhance)(Image.fromarray(values)).enhance(factor)
    factors = {"Brightness": 1.0, "Contrast": 1.0, "Color": 1.0} | {enhance: factor}
    ours = recoloured(to_float(values[None])[0], *factors.values(), hue=0)
    assert (ours - to_float(np.asarray(image)[None].copy())[0]).abs().max() < 1.6 / 255


@settings(max_examples=50, deadline=None)
@given(st.floats(-0.5, 0.5))
def test_hue_against_the_rotation_of_i_and_q_in_a_loop(hue: float) -> None:
    image = batch_of(1, 3, 4)[0]
    ours = recoloured(image, 1, 1, 1, hue)
    for row in range(3):
        for column in range(4):
            red, green, blue = image[:, row, column].tolist()
            luma, i, q = colorsys.rgb_to_yiq(red, green, blue)
            angle = 2 * math.pi * hue
            turned = (i * math.cos(angle) + q * math.sin(angle), q * math.cos(angle) - i * math.sin(angle))
            # Solved for the colour by hand, as colorsys clips what leaves [0, 1]; it rounds its matrix to two digits.
            axes = np.array([colorsys.rgb_to_yiq(*unit) for unit in np.eye(3)]).T
            expected = np.linalg.solve(axes, [luma, *turned])
            np.testing.assert_allclose(ours[:, row, column].numpy(), expected, atol=0.015)


def test_hue_keeps_luma_and_grey_and_composes() -> None:
    image = batch_of(1)[0]
    grey = torch.full((3, 4, 4), 0.4)
    for hue in (-0.5, -0.2, 0.1, 1 / 3):
        turned = recoloured(image, 1, 1, 1, hue)
        torch.testing.assert_close(torch.einsum("i,ihw->hw", LUMA, turned), torch.einsum("i,ihw->hw", LUMA, image))
        torch.testing.assert_close(recoloured(grey, 1, 1, 1, hue), grey)
        torch.testing.assert_close(recoloured(turned, 1, 1, 1, 0.25), recoloured(image, 1, 1, 1, hue + 0.25))
    torch.testing.assert_close(recoloured(image, 1, 1, 1, 1), image)


def test_hue_goes_from_red_by_green_to_blue() -> None:
    red = torch.tensor([0.8, 0.2, 0.2])[:, None, None]
    assert recoloured(red, 1, 1, 1, 1 / 3).argmax() == 1
    assert recoloured(red, 1, 1, 1, -1 / 3).argmax() == 2


def test_the_composed_matrix_is_the_four_steps_one_after_the_other() -> None:
    image = batch_of(1)[0]
    step = recoloured(image, 0.7, 1, 1, 0)
    step = recoloured(step, 1, 1.4, 1, 0)
    step = recoloured(step, 1, 1, 0.6, 0)
    step = recoloured(step, 1, 1, 1, 0.2)
    torch.testing.assert_close(recoloured(image, 0.7, 1.4, 0.6, 0.2), step)


def test_to_float() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 5, 3)).astype(np.uint8)
    read_only = pixels.copy()
    read_only.flags.writeable = False
    for source in (pixels, read_only, pixels[:, :, ::-1][:, :, ::-1]):
        tensor = to_float(source)
        assert tensor.dtype == torch.float32
        np.testing.assert_allclose(tensor.numpy(), pixels.transpose(0, 3, 1, 2) / 255, atol=1e-7)
    assert to_float(pixels).is_contiguous(memory_format=torch.channels_last)
    assert to_float(pixels[:0]).shape == (0, 3, 3, 5)


def naive_warp(image: np.ndarray, angle: float, factor: float, shift: tuple[float, float]) -> np.ndarray:
    """Look up each pixel of the result in the image, in pixels about its middle, reflected at the border."""
    height, width = image.shape
    result = np.zeros_like(image)

    def at(index: int, count: int) -> int:
        index %= 2 * count
        return index if index < count else 2 * count - 1 - index

    for row in range(height):
        for column in range(width):
            x, y = column + 0.5 - width / 2, row + 0.5 - height / 2
            from_x = (math.cos(angle) * x - math.sin(angle) * y) / factor + shift[0] * width + width / 2 - 0.5
            from_y = (math.sin(angle) * x + math.cos(angle) * y) / factor + shift[1] * height + height / 2 - 0.5
            left, top = math.floor(from_x), math.floor(from_y)
            for r, wr in ((top, 1 - (from_y - top)), (top + 1, from_y - top)):
                for c, wc in ((left, 1 - (from_x - left)), (left + 1, from_x - left)):
                    result[row, column] += wr * wc * image[at(r, height), at(c, width)]
    return result


@settings(max_examples=40, deadline=None)
@given(*[st.floats(-1, 1)] * 4)
def test_geometry_against_a_loop(rotate: float, scale: float, shift_x: float, shift_y: float) -> None:
    image = torch.rand(1, 3, 7, 11, dtype=torch.float64, generator=seeded())
    spec = Augmentation(rotate=180, scale=0.5, shift=0.6)
    sides = (torch.tensor([value], dtype=torch.float64) for value in (rotate, scale, shift_x, shift_y))
    ours = module._warp(image, spec, list(sides), torch.zeros(1, 8))[0, 0].numpy()
    naive = naive_warp(image[0, 0].numpy(), math.pi * rotate, 1.5**scale, (0.6 * shift_x, 0.6 * shift_y))
    # At the reflecting border itself the two may put a pixel to either side of a rounding.
    assert np.mean(np.abs(ours - naive) < 1e-6) > 0.98


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_perspective_against_pillow(draws: list[float]) -> None:
    size = 32
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 4, 4, generator=seeded()), (size, size), mode="bilinear")
    spec, still = Augmentation(perspective=0.3), [torch.zeros(1)] * 4
    ours = module._warp(smooth, spec, still, torch.tensor([draws]))[0]
    # The corners of the result and where they lie in the image, in pixels.
    square = np.array([[0, 0], [size, 0], [size, size], [0, size]], dtype=float)
    moved = square + 0.3 * size * np.array(draws).reshape(4, 2)
    rows, wanted = [], []
    for (x, y), (to_x, to_y) in zip(square, moved, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -to_x * x, -to_x * y], [0, 0, 0, x, y, 1, -to_y * x, -to_y * y]]
        wanted += [to_x, to_y]
    image = Image.fromarray((smooth[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    numbers = np.linalg.solve(np.array(rows), np.array(wanted))
    theirs = image.transform((size, size), Image.Transform.PERSPECTIVE, numbers.tolist(), Image.Resampling.BILINEAR)
    inside = Image.new("L", (size, size), 255).transform(
        (size, size), Image.Transform.PERSPECTIVE, numbers.tolist(), Image.Resampling.NEAREST
    )
    both = np.asarray(theirs).transpose(2, 0, 1)[:, np.asarray(inside) > 0] / 255
    # Pillow rounds places to 1/65536 and colours to whole numbers, and at the border mixes with other pixels.
    assert np.mean(np.abs(ours.numpy()[:, np.asarray(inside) > 0] - both) < 0.02) > 0.97


def test_blur_against_a_loop_and_keeps_flat_areas() -> None:
    image = batch_of(1, 5, 6)
    padded = np.pad(image[0].numpy(), ((0, 0), (1, 1), (1, 1)), mode="edge")
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    expected = np.array(
        [[[(padded[c, r : r + 3, k : k + 3] * kernel).sum() for k in range(6)] for r in range(5)] for c in range(3)]
    )
    np.testing.assert_allclose(module._binomial(image)[0].numpy(), expected, atol=1e-6)


def test_same_generator_state_same_result() -> None:
    batch = batch_of(6)
    generator = seeded(4)
    first = augment(batch, EVERYTHING, generator)
    state = generator.get_state()
    second = augment(batch, EVERYTHING, generator)
    assert not torch.equal(first, second)
    resumed = torch.Generator()
    resumed.set_state(state)
    torch.manual_seed(999)
    assert torch.equal(augment(batch, EVERYTHING, resumed), second)
    # However much is switched on, the generator moves on by the same count.
    bystander = seeded(4)
    augment(batch, Augmentation(), bystander)
    assert torch.equal(bystander.get_state(), state)


def test_input_is_left_alone_and_nothing_means_nothing() -> None:
    batch = batch_of(3)
    before = batch.clone()
    same = augment(batch, Augmentation(), seeded())
    assert torch.equal(same, batch)
    same.zero_()
    augment(batch, EVERYTHING, seeded()).zero_()
    assert torch.equal(batch, before)
    assert augment(batch[:0], EVERYTHING, seeded()).shape == (0, 3, 12, 12)


def test_flip_mirrors_about_half_and_independently_of_the_rest() -> None:
    batch = batch_of(64)
    flipped = augment(batch, Augmentation(flip=True), seeded())
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(flipped, batch, strict=True)]
    untouched = [torch.equal(a, b) for a, b in zip(flipped, batch, strict=True)]
    assert all(a != b for a, b in zip(mirrored, untouched, strict=True))
    assert 16 < sum(mirrored) < 48
    plain = augment(batch, Augmentation(brightness=0.2, hue=0.1), seeded())
    both = augment(batch, Augmentation(brightness=0.2, hue=0.1, flip=True), seeded())
    for i, turned in enumerate(mirrored):
        torch.testing.assert_close(both[i], plain[i].flip(2) if turned else plain[i])


def test_factors_fill_their_range() -> None:
    grey = torch.full((500, 3, 2, 2), 0.5)
    factors = augment(grey, Augmentation(brightness=0.4), seeded())[:, 0, 0, 0] / 0.5
    assert 0.6 <= factors.min() < 0.63
    assert 1.37 < factors.max() <= 1.4
    # Contrast, saturation, hue, geometry and blur all leave an even grey alone.
    rest = Augmentation(contrast=0.5, saturation=0.5, hue=0.5, rotate=90, scale=0.5, shift=0.3, perspective=0.4)
    rest = replace(rest, blur=1, flip=True)
    torch.testing.assert_close(augment(grey, rest, seeded()), grey)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_memory_order_type_and_range(dtype: torch.dtype) -> None:
    last = batch_of(8, 10, 14).to(dtype)
    first = last.contiguous()
    strong = Augmentation(1, 1, 1, 0.5, True, 30, 0.3, 0.2, 0.3, 1)
    a, b = augment(last, strong, seeded()), augment(first, strong, seeded())
    assert a.is_contiguous(memory_format=torch.channels_last)
    assert b.is_contiguous()
    assert a.dtype == b.dtype == dtype
    assert a.shape == b.shape == last.shape
    torch.testing.assert_close(a, b, atol=0.02 if dtype == torch.bfloat16 else 1e-5, rtol=0)
    assert a.min() >= 0
    assert a.max() <= 1
    assert a.isfinite().all()


@pytest.mark.parametrize(
    "values",
    [
        {"brightness": -0.1},
        {"contrast": 1.5},
        {"hue": 0.6},
        {"flip": 1},
        {"rotate": 181},
        {"scale": "big"},
        {"scale": None},
        {"saturation": math.nan},
        {"shift": True},
        {"blur": math.inf},
        {"perspective": 0.5},
    ],
)
def test_bad_values_are_named(values: dict[str, object]) -> None:
    with pytest.raises(DoppelgramError, match=next(iter(values))):
        Augmentation(**values)  # type: ignore[arg-type]


def test_erasing_fills_one_rectangle_of_some_images() -> None:
    batch = torch.full((400, 3, 20, 30), 0.5)
    out = augment(batch, Augmentation(erase=0.25), torch.Generator().manual_seed(0))
    changed = (out != 0.5).any(1)
    touched = changed.flatten(1).any(1)
    assert 0.18 < touched.float().mean() < 0.32
    for image, mask in zip(out[touched], changed[touched], strict=True):
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        box = image[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert mask.sum() == box[0].numel()  # a full rectangle
        assert (box == box[:, :1, :1]).all()  # of one colour
        assert 2 <= box.shape[1] <= 9
        assert 3 <= box.shape[2] <= 14
    assert (augment(batch, Augmentation(erase=1), torch.Generator()) != 0.5).flatten(1).any(1).all()


def test_coarse_images_lose_detail_and_keep_their_colour() -> None:
    checks = ((torch.arange(32)[:, None] + torch.arange(32)) % 2).float().expand(300, 3, 32, 32)
    out = augment(checks, Augmentation(coarse=0.4), torch.Generator().manual_seed(0))
    touched = (out != checks).flatten(1).any(1)
    assert 0.3 < touched.float().mean() < 0.5
    assert (out[touched].flatten(1).std(1) < 0.3).all()  # of 0.5 before
    torch.testing.assert_close(out[touched].mean((1, 2, 3)), torch.full((int(touched.sum()),), 0.5), atol=0.02, rtol=0)
    smooth = torch.linspace(0, 1, 32).expand(40, 3, 32, 32)
    again = augment(smooth, Augmentation(coarse=1), torch.Generator().manual_seed(0))
    assert 0 < (again - smooth).abs().max() < 0.08


def test_erasing_leaves_the_other_changes_as_they_were() -> None:
    batch = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    spec = {"brightness": 0.3, "rotate": 10, "shift": 0.1, "flip": True}
    plain = augment(batch, Augmentation(**spec), torch.Generator().manual_seed(2))
    erased = augment(batch, Augmentation(**spec, erase=1), torch.Generator().manual_seed(2))
    same = (plain == erased).all(1).flatten(1).float().mean(1)
    assert (same > 0.7).all()
    assert (same < 1).all()
