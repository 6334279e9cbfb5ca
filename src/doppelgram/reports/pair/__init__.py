"""Two photographs side by side, in words and as a picture."""
