"""Near copies of a folder by imagehash: hashes are the package's, comparing them is what its user writes."""

import json
import sys
from pathlib import Path

told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
# begin
import imagehash
from PIL import Image

files = sorted(Path(told["folder"]).iterdir())
hashes = [imagehash.phash(Image.open(file)) for file in files]
pairs = []
for one, first in enumerate(hashes):
    for other in range(one + 1, len(hashes)):
        if first - hashes[other] <= 10:
            pairs.append([files[one].name, files[other].name])
# end
Path(told["out"], "answer.json").write_text(json.dumps({"pairs": pairs}), encoding="utf-8")
