"""Price sources, one file each; every class marked with `@price_source` is found by its file lying here."""
