"""Atheris over one decoder of plain Python (its branches steer the mutations): `fuzz_by_coverage.py NAME FOLDER [libFuzzer options]`.

Whatever is raised but BerError ends it with a trace; so do an input that takes longer than -timeout and memory beyond -rss_limit_mb.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["probes.snmp", "probes.engine"]):
    import fuzzing

    from probes.engine import load

    load("walk", "python")
    load("echo", "python")
    load("seal", "python")


def main() -> None:
    """Seeds go into FOLDER, which then is libFuzzer's corpus."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    make, seeds = fuzzing.PURE[name]
    for number, seed in enumerate(seeds):
        (folder / f"seed{number}").write_bytes(seed)
    decoder = make()
    atheris.Setup([sys.argv[0], *sys.argv[3:], str(folder)], lambda data: fuzzing.check(decoder, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
