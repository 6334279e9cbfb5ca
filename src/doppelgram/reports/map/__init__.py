"""The map of an embedding space, as a page and as a picture."""
