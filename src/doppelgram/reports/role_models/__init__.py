"""The report of a trace: role models, their followers, and the evidence."""
