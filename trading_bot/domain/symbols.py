"""What a stock is called. By itself, because who only names stocks needs no arrays."""

from __future__ import annotations

from typing import NewType

Symbol = NewType("Symbol", str)
