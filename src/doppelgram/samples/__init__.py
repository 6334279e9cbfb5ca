"""The rendered sample world: landmark posts with posing people, and traffic signs, drawn from a seed."""
