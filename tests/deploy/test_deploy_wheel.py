"""The package as it is installed from a wheel (the Dockerfile does so): nothing of what it needs is left behind in the checkout."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("edunet", "probes", "inventory", "collector", "api", "demo")
FOR_BUILDING = {".mjs", ".pxd"}
"""Read by whoever builds the project, never by the program."""


def project_files(*folders: str) -> list[str]:
    """The project's files (all, or of some folders) that git does not ignore."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(name for name in set(done.stdout.split("\0")) if name and (ROOT / name).is_file())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built of a copy of the project, the engine without optimisation: it is not what is tested here."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in project_files():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "source" / name)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, "."],
        cwd=folder / "source",
        env={**os.environ, "EDUNET_ENGINE_CFLAGS": "-O0"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_source_archive_can_be_built_from_and_holds_no_tests(wheel: Path, tmp_path: Path) -> None:
    code = f"import setuptools.build_meta as build; build.build_sdist({str(tmp_path)!r})"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=wheel.parent / "source",
        env={**os.environ, "EDUNET_ENGINE": "python"},
        capture_output=True,
        check=True,
    )
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert [name for name in names if name.startswith("tests") or Path(name).name.startswith("test_")] == []
    needed = [name for name in project_files(*PACKAGES) if Path(name).suffix != ".mjs"]
    assert [name for name in needed if name not in names] == []


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files alone in a folder, far from the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def run_installed(installed: Path, *arguments: str, **environment: str) -> list[str]:
    """The words that start `edunet` from there: the checkout is not on its path (-P, and it stands elsewhere)."""
    return ["env", f"PYTHONPATH={installed}", *(f"{name}={value}" for name, value in environment.items()),
            sys.executable, "-P", "-m", "edunet.main", *arguments]  # fmt: skip


def test_the_wheel_has_every_file_that_the_program_reads(wheel: Path) -> None:
    needed = [name for name in project_files(*PACKAGES) if Path(name).suffix not in FOR_BUILDING]
    held = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in needed if name not in held] == []


def test_the_wheel_holds_the_packages_alone(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert [name for name in zipfile.ZipFile(wheel).namelist() if "test" in Path(name).name.split("_")[0]] == []


def test_the_wheel_has_the_compiled_engine(wheel: Path, installed: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    if not list(Path(sys.base_prefix).glob("include/python3*/Python.h")):
        pytest.skip("no python3-dev here")
    engines = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]
    found = {Path(name).name.split(".")[0] for name in engines}
    assert found - {"seal"} == {"echo", "walk", "wire"}
    assert "seal" in found or not Path("/usr/include/openssl/evp.h").exists()
    command = run_installed(installed, "version", "--json")
    done = subprocess.run(command, cwd=installed, capture_output=True, text=True, check=True)
    assert '"engine": "compiled"' in done.stdout


def test_pages_are_served_from_there_with_all_their_files(installed: Path, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        command = run_installed(
            installed, "api", "--fd", str(listener.fileno()), EDUNET_STATE_DIR=str(tmp_path), EDUNET_LANG="en"
        )
        log = (tmp_path / "log").open("wb")
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, pass_fds=[listener.fileno()])
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            page = ask_until_served(base, server, tmp_path / "log")
            files = re.findall(r'(?:src|href)="(/[^"]+[.](?:css|js|svg)[^"]*)"', page)
            assert files
            for file in files:
                assert httpx.get(base + file).status_code == 200, file
            chinese = httpx.get(f"{base}/login", headers={"accept-language": "zh-CN"}).text
            assert "登录" in chinese
            assert "登录" not in page
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
            log.close()


def ask_until_served(base: str, server: subprocess.Popen[bytes], log: Path) -> str:
    """The sign-in page in English, as soon as it is served."""
    deadline = time.monotonic() + 90
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            answer = httpx.get(f"{base}/login", headers={"accept-language": "en"}, timeout=10)
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        assert answer.status_code == 200, answer.text
        return answer.text
