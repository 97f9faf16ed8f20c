"""The hot loops: one source, compiled where a C compiler was at hand, else plain Python (docs/decisions/0010).

`EDUNET_ENGINE=python` or `compiled` forces one; `NAME` says which runs. `load` gives either side by side, for the differential tests.
"""

import hashlib
import importlib
import importlib.util
import os
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Literal

MODULES = ("wire", "walk", "echo")
"""The modules that setup.py may have compiled."""
BESIDE = ("seal",)
"""Those that need OpenSSL's headers too: where they were not compiled they run plain, beside a compiled engine."""

Engine = Literal["compiled", "python"]


def load(module: str, engine: Engine | None = None) -> ModuleType:
    """The module of `MODULES` in that engine (default: the running one). ImportError where it was never compiled."""
    engine = engine or NAME
    if engine == "python":
        return _plain(module)
    found = importlib.import_module(f"probes.engine.{module}")
    if not found.COMPILED:
        raise ImportError(
            f"probes.engine.{module} is not compiled here: install gcc, python3-dev and libssl-dev, then `make install`"
        )
    if found.SOURCE.decode() != digest(module):
        raise ImportError(f"probes.engine.{module} was compiled of another text than it has now: `make install`")
    return found


def load_beside(module: str, engine: Engine | None = None) -> ModuleType:
    """The module of `BESIDE` in that engine; as plain Python where it was not compiled, or of another text."""
    try:
        return load(module, engine)
    except Exception:  # noqa: BLE001 - as in `_choose`: a half-built or foreign .so raises whatever it likes
        return _plain(module)


def digest(module: str) -> str:
    """A digest of the module's text, as setup.py builds it in."""
    return hashlib.sha256(Path(__file__).with_name(f"{module}.py").read_bytes()).hexdigest()[:16]


def _plain(module: str) -> ModuleType:
    """The .py file itself, also where a compiled twin stands beside it."""
    name = f"probes.engine.plain_{module}"
    if name not in sys.modules:
        path = str(Path(__file__).with_name(f"{module}.py"))
        spec = importlib.util.spec_from_file_location(name, path, loader=SourceFileLoader(name, path))
        if spec is None or spec.loader is None:
            raise ImportError(f"cannot load {path}")
        sys.modules[name] = found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    return sys.modules[name]


def _choose() -> tuple[Engine, str]:
    forced = os.environ.get("EDUNET_ENGINE", "")
    if forced not in ("", "python", "compiled"):
        raise ImportError(f"EDUNET_ENGINE={forced!r}: python or compiled")
    if forced == "python":
        return "python", ""
    try:
        for module in MODULES:
            load(module, "compiled")
    except Exception as failure:
        # A half-built or foreign .so raises whatever it likes (AttributeError: no SOURCE; SystemError); the text beside it still runs.
        if forced:
            raise
        return "python", f"{type(failure).__name__}: {failure}"
    return "compiled", ""


NAME: Engine
WHY_PLAIN: str
NAME, WHY_PLAIN = _choose()
"""The running engine, and where that is plain Python without having been asked for: why."""


def plain_beside() -> tuple[str, ...]:
    """Modules of `BESIDE` that run plain beside a compiled engine: they were not compiled (no libssl-dev)."""
    return tuple(module for module in BESIDE if NAME == "compiled" and not load_beside(module).COMPILED)
