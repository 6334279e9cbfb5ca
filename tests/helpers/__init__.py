"""What several tests build on: made-up files, worlds, runs and networks."""
