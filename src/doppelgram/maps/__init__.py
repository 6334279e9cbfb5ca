"""An embedding space on a map: projections to two dimensions, neighbours, small pictures, files for TensorBoard."""
