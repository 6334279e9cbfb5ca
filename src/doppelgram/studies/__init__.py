"""The two published studies, done again from beginning to end."""
