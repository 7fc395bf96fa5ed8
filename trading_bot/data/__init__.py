"""Prices: where they come from, what is wrong with them, and the market as of one instant."""
