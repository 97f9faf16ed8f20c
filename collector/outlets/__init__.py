"""Ways out: who is told of the judge's notices. A file and a row (outlets/board.py) each."""
