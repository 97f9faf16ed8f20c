"""Traps and informs: a process of its own (`python -m collector.traps`) hears them, the judge's process keeps what they say.

A trap leads to an immediate reading of its device and is evidence of a cause; it is never a verdict (docs/decisions/0090).
"""
