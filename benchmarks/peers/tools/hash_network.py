"""Images of a network merged by their perceptual hash, as 4CAT's image networks do it.

Written from their descriptions: its network of images and authors merges images whose hash is the same; its network of
hashes joins those of which at least a share of the bits agree, 90 % unless another is given.

    python hash_network.py JOB.json     # photographs: [{path, file, ...}], agree: [shares of the bits]
"""

import json
import sys
from pathlib import Path

import imagehash
import networkx as nx
import numpy as np
from PIL import Image


def main():
    """Groups of joined images for each share of the bits."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    bits = np.array([imagehash.phash(Image.open(each["file"])).hash.ravel() for each in job["photographs"]])
    agree = (bits[:, None, :] == bits[None]).mean(2)
    found = {}
    for least in job["agree"]:
        network = nx.from_numpy_array(np.triu(agree >= least, 1))
        group = [-1] * len(bits)
        for number, rows in enumerate(nx.connected_components(network)):
            for row in rows if len(rows) > 1 else ():
                group[row] = number
        found[str(least)] = group
    Path(job["out"], "answer.json").write_text(json.dumps({"groups": found}), encoding="utf-8")


if __name__ == "__main__":
    main()
