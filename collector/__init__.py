"""When to ask, what the answers mean, who is told."""
