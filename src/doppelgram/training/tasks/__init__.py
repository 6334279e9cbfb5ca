"""The four training tasks: each says what a batch, its loss and its validation figures are."""
