"""Pictures of an embedding space: projections to two dimensions, plots, pages."""
