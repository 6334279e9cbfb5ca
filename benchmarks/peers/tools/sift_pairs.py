"""SIFT pair scores, as MotiveDetection does it: the same view from the same spot, looked for within each place.

Written from its description, not from its code: SIFT points of each photograph, matches of each pair of photographs of
a place that pass the ratio test, photographs of one motif joined where they share enough matches, and motifs kept from
five images by five authors on. The places have to be known. Scores how many later photographs a motif's first has.

    python sift_pairs.py JOB.json     # photographs: [{path, file, author, time, place}], links: [numbers of matches]
"""

import json
import sys
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

SIDE, POINTS, RATIO, LEAST = 480, 400, 0.75, 5


def described(file):
    """SIFT descriptors (n, 128) of a photograph, made smaller first."""
    image = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
    scale = SIDE / max(image.shape)
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.SIFT_create(nfeatures=POINTS).detectAndCompute(image, None)[1]


def score(first, second):
    """Matches of two photographs that are clearly nearer than the next best."""
    if first is None or second is None or min(len(first), len(second)) < 2:
        return 0
    similar = first @ second.T
    squared = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * similar
    near = np.sqrt(np.maximum(np.partition(squared, 1, axis=1)[:, :2], 0))
    return int((near[:, 0] < RATIO * near[:, 1]).sum())


def main():
    """Groups for each least number of matches."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    photographs = job["photographs"]
    cv2.setNumThreads(1)
    points = [described(each["file"]) for each in photographs]
    pairs = []
    for place in sorted({each["place"] for each in photographs}):
        rows = [row for row, each in enumerate(photographs) if each["place"] == place]
        pairs += [(a, b, score(points[a], points[b])) for a, b in combinations(rows, 2)]
    found = {str(least): motifs(photographs, pairs, least) for least in job["links"]}
    answer = {"groups": found, "pairs": len(pairs)}
    Path(job["out"], "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def motifs(photographs, pairs, least):
    """The number of each photograph's motif; -1 where it has none."""
    above = list(range(len(photographs)))

    def top(row):
        while above[row] != row:
            above[row] = above[above[row]]
            row = above[row]
        return row

    for a, b, matches in pairs:
        if matches >= least:
            above[top(a)] = top(b)
    members = {}
    for row in range(len(photographs)):
        members.setdefault(top(row), []).append(row)
    group = [-1] * len(photographs)
    for number, rows in members.items():
        if len(rows) >= LEAST and len({photographs[row]["author"] for row in rows}) >= LEAST:
            for row in rows:
                group[row] = number
    return group


if __name__ == "__main__":
    main()
