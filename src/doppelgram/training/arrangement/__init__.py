"""Training models of places and poses: towers from a recipe, each trained, then weighed and calibrated."""
