"""What the world says about our stocks: news from a source, cleaned, matched, scored, classed. Never obeyed."""
