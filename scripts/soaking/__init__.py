"""The soak: real processes, real kills, and what must hold afterwards."""
