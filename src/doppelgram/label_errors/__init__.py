"""Images whose label is probably wrong, copies, wrong pairs and outliers."""
