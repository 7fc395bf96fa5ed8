"""Trading the past again: with the very steps of the live bot, or as one matrix."""
