"""One file for each news source."""
