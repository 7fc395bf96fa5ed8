"""BensBot: look at the market, form opinions, check them, trade, keep the books, tell people."""

__version__ = "0.1.0"
