"""Faces by face_recognition: the largest face of each photograph, and the nearest of many thousand known ones."""

import importlib.util
import json
import sys
import time
import types
from pathlib import Path

import numpy as np

# Its package of weights asks for pkg_resources, which newer tools no longer install: a stand-in with the one call.
if importlib.util.find_spec("pkg_resources") is None:
    resources = types.ModuleType("pkg_resources")
    resources.resource_filename = lambda package, name: str(
        Path(importlib.util.find_spec(package).origin).parent / name
    )
    sys.modules["pkg_resources"] = resources

told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
# begin
import face_recognition

vectors, times = [], []
for file in told["files"]:
    started = time.process_time()
    picture = face_recognition.load_image_file(file)
    boxes = face_recognition.face_locations(picture)
    boxes = sorted(boxes, key=lambda box: (box[2] - box[0]) * (box[1] - box[3]))[-1:]
    found = face_recognition.face_encodings(picture, boxes)
    vectors.append(found[0] if found else np.full(128, np.nan))
    times.append(time.process_time() - started)
# end
known = np.random.default_rng(0).standard_normal((told["known"], 128)) * 0.1
searches = []
for vector in known[:50] + 0.001:
    started = time.process_time()
    int(np.argmin(face_recognition.face_distance(known, vector)))
    searches.append(time.process_time() - started)
np.save(Path(told["out"], "vectors.npy"), np.array(vectors))
answer = {"photograph_ms": 1000 * float(np.median(times)), "search_ms": 1000 * float(np.median(searches))}
Path(told["out"], "answer.json").write_text(json.dumps(answer), encoding="utf-8")
