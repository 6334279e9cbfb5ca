"""Backbones, the embedding network, named weights, and the saved model."""
