"""`edunet api` as people and the supervisor start it: a real process."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import until


def _environment(state: Path) -> dict[str, str]:
    return {**os.environ, "EDUNET_STATE_DIR": str(state), "EDUNET_LOG__LEVEL": "info"}


@contextmanager
def _started(state: Path, *arguments: str, fds: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "edunet.main", "api", *arguments],
        env=_environment(state),
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=fds,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _listener(address: str = "127.0.0.1") -> socket.socket:
    listener = socket.socket()
    listener.bind((address, 0))
    listener.listen(16)
    return listener


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=20, headers={"host": "localhost"}).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("more", [(), ("--demo",)])
def test_it_serves_on_an_inherited_socket_and_ends_soon_when_told(tmp_path: Path, more: tuple[str, ...]) -> None:
    with _listener() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with _started(tmp_path, "--fd", str(listener.fileno()), *more, fds=(listener.fileno(),)) as process:
            until(lambda: _answers(f"{url}/-/healthy"), 60)
            assert httpx.get(f"{url}/login").status_code == 200
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
    assert "WITHOUT TLS" not in said
    assert "Traceback" not in said


def test_it_warns_loudly_when_others_can_listen_in(tmp_path: Path) -> None:
    with _listener("0.0.0.0") as listener:
        with _started(tmp_path, "--fd", str(listener.fileno()), fds=(listener.fileno(),)) as process:
            until(lambda: _answers(f"http://127.0.0.1:{listener.getsockname()[1]}/-/healthy"), 60)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
    assert "WITHOUT TLS" in said


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    with _listener() as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with _started(tmp_path, "--listen", address) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "is taken" in said
    assert "Traceback" not in said


def test_wrong_use_is_exit_code_two(tmp_path: Path) -> None:
    for arguments in (("--listen", "nowhere"), ("--fd", "99")):
        with _started(tmp_path, *arguments) as process:
            process.communicate(timeout=60)
        assert process.returncode == 2, arguments


def test_it_serves_by_tls_where_it_has_a_certificate(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    environment = {"EDUNET_API__TLS_CERT": str(certificate), "EDUNET_API__TLS_KEY": str(key)}
    with _listener() as listener, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        import ssl

        trusted = ssl.create_default_context(cafile=str(certificate))
        url = f"https://localhost:{listener.getsockname()[1]}"
        with _started(tmp_path, "--fd", str(listener.fileno()), fds=(listener.fileno(),)) as process:
            with httpx.Client(verify=trusted, timeout=20) as client:

                def answers() -> bool:
                    try:
                        return client.get(f"{url}/-/healthy").status_code == 200
                    except httpx.HTTPError:
                        return False

                until(answers, 60)
                page = client.get(f"{url}/login")
            assert "max-age" in page.headers["strict-transport-security"]
            assert "Secure" in page.headers["set-cookie"]
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
