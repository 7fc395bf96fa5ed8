"""Places where orders become fills: one file per broker."""
