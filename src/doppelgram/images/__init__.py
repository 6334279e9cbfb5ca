"""From image files to upright pixels: safe decoding, framing, a report on every file, augmentation."""
