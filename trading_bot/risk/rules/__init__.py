"""One rule per file; the folder is scanned."""
