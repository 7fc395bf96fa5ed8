"""How we talk to Alpaca: what its broker and its prices have in common. alpaca-py is imported late."""
