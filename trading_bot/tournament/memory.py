"""Keeping freed memory at hand: scoring asks for the same few megabytes again and again."""

from __future__ import annotations

import functools

import numpy as np

LARGEST = 31 << 20  # bytes; glibc lets the threshold follow blocks of less than 32 MiB


@functools.cache
def keep_freed_memory() -> None:
    """Make the C library keep freed arrays for the next ones instead of giving them back, once a process.

    By default each array of some megabytes is fresh memory from the kernel, and touching it for the first time costs
    more than the arithmetic: a sweep over 500 symbols spends two thirds of its time there. glibc raises the limit
    from which it does so to the largest block it has seen freed (mallopt(3), M_MMAP_THRESHOLD), and keeps up to twice
    as much. The block is never touched, so it costs nothing itself; other C libraries do not mind.
    """
    np.empty(LARGEST, dtype=np.uint8)
