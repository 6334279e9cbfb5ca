"""Near copies of a folder by imagededup's perceptual hash, at its own distance."""

import json
import sys
from pathlib import Path

from torch_only import import_torchvision

import_torchvision()
told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
if __name__ == "__main__":
    # begin
    from imagededup.methods import CNN, PHash

    found = {"hash": PHash, "network": CNN}[told["method"]]().find_duplicates(image_dir=told["folder"])
    # end
    pairs = {tuple(sorted((one, other))) for one, others in found.items() for other in others}
    Path(told["out"], "answer.json").write_text(json.dumps({"pairs": sorted(pairs)}), encoding="utf-8")
