"""A recorded trace on the board: `edunet replay TRACE --speed 60` plays it into a register of its own, which the pages show."""

from collector.playback.player import Player
from collector.playback.stage import Stage

__all__ = ["Player", "Stage"]
