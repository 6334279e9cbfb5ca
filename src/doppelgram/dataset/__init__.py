"""Collections of images, splits without leaks, pairs and triplets, and a rendered sample world."""
