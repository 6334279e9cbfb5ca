"""Faces by deepface, with dlib's network and detector, whose weights are put where it looks for them.

It fetches weights on first use. Those of dlib also come with a package, so that it runs without a network.
"""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
weights = Path(os.environ["HOME"], ".deepface", "weights")
weights.mkdir(parents=True, exist_ok=True)
models = Path(importlib.util.find_spec("face_recognition_models").origin).parent / "models"
for name in ("dlib_face_recognition_resnet_model_v1.dat", "shape_predictor_5_face_landmarks.dat"):
    (weights / name).symlink_to(models / name)
# begin
from deepface import DeepFace

vectors, times = [], []
for file in told["files"]:
    started = time.process_time()
    try:
        found = DeepFace.represent(file, model_name="Dlib", detector_backend="dlib")
        largest = max(found, key=lambda face: face["facial_area"]["w"] * face["facial_area"]["h"])
        vectors.append(largest["embedding"])
    except ValueError:  # no face
        vectors.append([np.nan] * 128)
    times.append(time.process_time() - started)
# end
np.save(Path(told["out"], "vectors.npy"), np.array(vectors))
answer = {"photograph_ms": 1000 * float(np.median(times))}
Path(told["out"], "answer.json").write_text(json.dumps(answer), encoding="utf-8")
