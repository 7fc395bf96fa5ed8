"""Words of the trade: `words.txt` and `events.txt`, written for this bot."""
