"""For who writes strategies: a file to begin with, what it has to promise, and a look for knowledge of tomorrow."""
