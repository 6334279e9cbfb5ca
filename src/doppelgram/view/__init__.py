"""Same view: whether two photographs were taken from nearly the same spot, by points that both of them show."""
