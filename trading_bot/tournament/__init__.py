"""Which candidate would have done best: grids, scores over windows, ranking, and how far to believe them."""
