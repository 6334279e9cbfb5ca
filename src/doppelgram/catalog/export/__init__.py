"""A catalog in files that other programs read."""
