"""The map of a catalog as the page shows it: made once, kept in the catalog's folder, sent as one array of bytes."""
