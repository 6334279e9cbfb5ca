"""Recipes, runs, and the training of every network."""
