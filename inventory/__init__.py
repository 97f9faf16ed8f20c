"""What should exist, and what was judged of it: the register. Knows no sockets."""
