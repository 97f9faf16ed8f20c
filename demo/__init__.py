"""The demonstration province. Nothing but the wiring in `edunet` imports it."""
