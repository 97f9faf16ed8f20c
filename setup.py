"""The optional compiled engine: `probes/engine/*.py` built by Cython where a compiler and Python's headers are present.

A failed build is a warning: the same files then run as plain Python, slower (docs/decisions/0010). pyproject.toml has all else.
"""

import hashlib
import os
import sys

from setuptools import Extension, setup

MODULES = ("wire", "walk", "echo", "seal")
LIBRARIES = {"seal": ["crypto"]}
"""What a module is linked with: OpenSSL's, of libssl-dev. Without it v3 runs plain."""


def digest(name: str) -> str:
    """What `probes.engine.digest` says of the same text: an engine built of another is not used."""
    with open(f"probes/engine/{name}.py", "rb") as source:
        return hashlib.sha256(source.read()).hexdigest()[:16]


def extensions() -> list[Extension]:
    """The extensions to build: none where Cython is missing or `EDUNET_ENGINE=python` asks for none."""
    if os.environ.get("EDUNET_ENGINE") == "python":
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        sys.stderr.write("edunet: no Cython, so the engine stays plain Python (slower)\n")
        return []
    flags = os.environ.get("EDUNET_ENGINE_CFLAGS", "-O3").split()
    wanted = [
        Extension(
            f"probes.engine.{name}",
            [f"probes/engine/{name}.py"],
            define_macros=[("_GNU_SOURCE", "1"), ("EDUNET_SOURCE", f'"{digest(name)}"')],
            libraries=LIBRARIES.get(name, []),
            extra_compile_args=flags,
            extra_link_args=[flag for flag in flags if flag.startswith("-fsanitize")],
        )
        for name in MODULES
        if os.path.exists(f"probes/engine/{name}.py")
    ]
    try:
        built: list[Extension] = cythonize(
            wanted,
            build_dir="build/cython",
            quiet=True,
            force=True,
            compiler_directives={
                "language_level": 3,
                "boundscheck": True,
                "wraparound": False,
                "cdivision": True,
                "initializedcheck": False,
                "show_performance_hints": False,
            },
        )
    except Exception as failure:  # noqa: BLE001 - whatever goes wrong here, the program installs all the same
        sys.stderr.write(f"edunet: the engine could not be compiled, it stays plain Python (slower): {failure}\n")
        return []
    for extension in built:
        extension.optional = True  # cythonize forgets it
    return built


setup(ext_modules=extensions())
