"""Body pose: the skeleton, estimators, alignment and similarity of poses, drawing."""
