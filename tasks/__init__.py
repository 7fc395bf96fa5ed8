"""Prefect tasks: one per step."""
