"""Recipes: their schema, the files that hold them, and what is wrong with one in a sentence."""
