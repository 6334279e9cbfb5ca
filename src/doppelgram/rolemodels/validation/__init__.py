"""Worlds whose history is known, scores against the truth, and simpler rules to compare with."""
