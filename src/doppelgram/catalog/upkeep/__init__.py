"""Looking after a catalog: what is in it, what goes out, what is called otherwise."""
