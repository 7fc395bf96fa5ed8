"""A broker on this machine that answers as Alpaca's documents say: to learn with, and to test with.

`exchange` is what happens, `documents` how it is told, `faults` what goes wrong on purpose, `server` the sockets.
"""
