"""The look-alike exercise, done again from beginning to end."""
