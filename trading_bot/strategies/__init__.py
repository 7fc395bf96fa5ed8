"""Opinions about prices: one file per strategy, and the manager that turns them into signals."""
