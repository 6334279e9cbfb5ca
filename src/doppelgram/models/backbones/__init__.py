"""Backbones: networks that turn images into features, by one name each."""
