"""Ready-made models: pretrained towers and fitted numbers, by one name each; they answer without any training."""
