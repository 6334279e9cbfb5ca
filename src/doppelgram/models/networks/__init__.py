"""The networks that are trained: image to embedding, keypoints to embedding, pair to answer."""
