"""The monitor of an education network: the command, the settings and the wiring of the parts."""

from importlib.metadata import version as _version

__version__ = _version("edunet")
