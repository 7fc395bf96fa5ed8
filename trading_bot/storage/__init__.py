"""Databases without loss: engines, transactions and column types, for every book that is kept."""
