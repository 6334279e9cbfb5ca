"""Faces in photographs: detectors, which face is taken, and the square that is cut for it."""
