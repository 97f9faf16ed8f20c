"""Every decoder on hostile bytes: hypothesis always; atheris, AddressSanitizer and the memory that is kept in `make soak`."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import fuzzing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import engine as engines

ROOT = Path(__file__).parents[2]
SECONDS = 20
"""Of atheris, for each decoder."""
GROWTH_KIB = 4096


def usable(name: str) -> None:
    if name in fuzzing.COMPILED:
        try:
            engines.load("walk", "compiled")
        except ImportError as reason:
            pytest.skip(str(reason))


@pytest.mark.parametrize("name", fuzzing.DECODERS)
def test_what_fuzzing_begins_with_is_true(name: str) -> None:
    usable(name)
    make, seeds = fuzzing.DECODERS[name]
    for seed in seeds:
        found = make()(seed)
        assert found not in (None, 0, ((1, 0), 0)), name


@settings(max_examples=150, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", fuzzing.DECODERS)
def test_a_decoder_reads_or_says_that_it_is_broken(name: str, data: st.DataObject) -> None:
    usable(name)
    make, seeds = fuzzing.DECODERS[name]
    packet = bytearray(data.draw(st.sampled_from(seeds)))
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(packet) - 1), st.integers(0, 255)), max_size=5)):
        packet[at] = value
    cut = data.draw(st.integers(0, len(packet)))
    decoder = make()
    fuzzing.check(decoder, bytes(packet))
    fuzzing.check(decoder, bytes(packet[:cut]) + data.draw(st.binary(max_size=12)))


def run(command: list[str], environment: dict[str, str] | None = None, seconds: float = 900, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=seconds
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    return said


@pytest.mark.soak
@pytest.mark.parametrize("name", fuzzing.DECODERS)
def test_hostile_packets_leave_no_memory_behind(name: str) -> None:
    usable(name)
    packets = 500_000 if name in fuzzing.COMPILED else 100_000
    said = run([sys.executable, "-P", "tests/probes/fuzzing.py", name, "--packets", str(packets)])
    print(said.strip())
    grown = re.search(r"grown by (-?\d+) KiB", said)
    assert grown is not None
    assert int(grown[1]) < GROWTH_KIB


@pytest.fixture(scope="module")
def atheris(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `import atheris` works; it is no dependency of the project, so it is fetched where it is missing."""
    if importlib.util.find_spec("atheris") is not None:
        return {}
    folder = tmp_path_factory.mktemp("atheris")
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), "atheris==3.0.0"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"atheris cannot be had here: {done.stderr.strip()[-300:]}")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.soak
@pytest.mark.parametrize("name", fuzzing.PURE)
def test_atheris_finds_no_input_that_breaks_a_decoder(name: str, atheris: dict[str, str], tmp_path: Path) -> None:
    options = [f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=2048", "-verbosity=1"]
    options.append(f"-artifact_prefix={tmp_path}/")
    # The shell forks once more: a process begins with the highest memory of the one that started it (getrusage(2), ru_maxrss), and a soak in
    # one go comes here with more than libFuzzer's limit.
    anew = ["sh", "-c", '"$@"; exit $?', "sh"]
    said = run([*anew, sys.executable, "tests/probes/fuzz_by_coverage.py", name, str(tmp_path), *options], atheris)
    runs = re.search(r"Done (\d+) runs", said)
    assert runs is not None, said[-2000:]
    print(f"{name}: {runs[1]} runs in {SECONDS} s")
    assert int(runs[1]) > 1000


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The engine built under AddressSanitizer and UBSan in a copy of the sources, and the environment to run it."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    if not Path(library).is_file():
        pytest.skip("gcc has no AddressSanitizer here")
    folder = tmp_path_factory.mktemp("sanitized")
    shutil.copytree(ROOT / "probes", folder / "probes", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copytree(
        ROOT / "tests" / "probes", folder / "tests" / "probes", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "setup.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\nmarkers =\n    soak: long runs\n")
    flags = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
    run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], {"EDUNET_ENGINE_CFLAGS": flags}, cwd=folder)
    environment = {
        "LD_PRELOAD": str(Path(library).resolve()),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=99",
        "PYTHONPATH": str(folder),
        "PYTHONMALLOC": "malloc",
        "EDUNET_ENGINE": "compiled",
    }
    where = run(
        [sys.executable, "-c", "import probes.engine.walk as w; print(w.__file__, w.COMPILED)"], environment, cwd=folder
    )
    assert str(folder) in where, where
    assert "True" in where
    assert all(b"__asan_report" in built.read_bytes() for built in (folder / "probes" / "engine").glob("*.so"))
    return folder, environment


@pytest.mark.soak
@pytest.mark.parametrize("name", fuzzing.COMPILED)
def test_the_compiled_engine_keeps_to_its_memory(name: str, sanitized: tuple[Path, dict[str, str]]) -> None:
    folder, environment = sanitized
    command = [sys.executable, "tests/probes/fuzzing.py", name, "--packets", "200000", "--seed", "7"]
    print(run(command, environment, cwd=folder).strip())


@pytest.mark.soak
def test_the_differential_tests_pass_under_the_sanitizer(sanitized: tuple[Path, dict[str, str]]) -> None:
    folder, environment = sanitized
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pytest.ini"]
    command += ["tests/probes/test_probes_engine.py", "tests/probes/test_probes_gentle.py", "-k", "not environment"]
    said = run(command, environment, cwd=folder)
    assert re.search(r"\b\d+ passed", said) is not None or "100%" in said, said[-2000:]
