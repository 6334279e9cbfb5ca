"""One embedding job for many processes and machines: a plan, workers that write, and one that commits."""
