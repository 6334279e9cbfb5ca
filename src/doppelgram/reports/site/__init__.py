"""A catalog as static files: an index, a mosaic, the map, role models, photographs, and tables for other viewers."""
