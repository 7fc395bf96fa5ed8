"""Who trades from tomorrow on: the decision, the steps around it, its words, and the team of today."""
