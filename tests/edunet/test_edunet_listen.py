"""Where the page listens."""

import pytest

from edunet.listen import TakenError, is_loopback, open_listener, page_url, parse_listen


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("0.0.0.0", ("0.0.0.0", 8080)),
        ("9000", ("127.0.0.1", 9000)),
        (":9000", ("0.0.0.0", 9000)),
        ("localhost:80", ("127.0.0.1", 80)),
        ("[::1]:8443", ("::1", 8443)),
        ("[::]", ("::", 8080)),
        ("::1", ("::1", 8080)),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, where: tuple[str, int]) -> None:
    assert parse_listen(text) == where


@pytest.mark.parametrize(
    "text", ["", "here:80", "127.0.0.1:x", "127.0.0.1:70000", "[::1:80", "[::1]80", "300.1.1.1:80"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ADDRESS:PORT"):
        parse_listen(text)


def test_a_taken_port_is_told_apart() -> None:
    with open_listener("127.0.0.1", 0) as first, pytest.raises(TakenError):
        open_listener("127.0.0.1", first.getsockname()[1])


def test_an_address_of_another_machine_is_no_taken_port() -> None:
    with pytest.raises(OSError, match="assign") as caught:
        open_listener("192.0.2.1", 0)
    assert not isinstance(caught.value, TakenError)


def test_only_loopback_is_closed_to_others() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("::")


def test_the_address_to_type() -> None:
    assert page_url("127.0.0.1", 8080, tls=False) == "http://127.0.0.1:8080/"
    assert page_url("::1", 8443, tls=True) == "https://[::1]:8443/"
    assert "0.0.0.0" not in page_url("0.0.0.0", 8080, tls=False)
