"""Reasons to say no: one file per rule, and the manager that asks them all."""
