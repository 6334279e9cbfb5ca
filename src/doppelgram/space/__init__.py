"""Distances in an embedding space and what they mean: probability, threshold, exact search. Arrays only."""
