"""Collections of images and posts, splits without leaks, and pairs."""
