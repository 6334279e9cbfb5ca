"""Which parts of two photographs make a model hold them for near."""
