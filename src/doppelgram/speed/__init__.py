"""How fast this machine reads, embeds, searches and writes."""
