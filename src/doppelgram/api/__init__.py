"""Each command as a Python function; the command line calls these and prints what they return."""
