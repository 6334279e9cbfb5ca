"""The page: a local server that shows a catalog, and the REST interface that the page itself uses."""
