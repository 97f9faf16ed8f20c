"""`python -m edunet` is the command `edunet`."""

from edunet.entry import run

run()
