"""Keys and ciphers of v3, by the vectors of RFC 3414, and that secrets do not show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.snmp import usm
from probes.snmp.ber import BerError
from probes.snmp.credential import Credential

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")

ENGINE = bytes.fromhex("000000000000000000000002")


def test_md5_and_sha_keys_are_those_of_rfc_3414_appendix_a3():
    assert usm.password_to_key(b"maplesyrup", "md5").hex() == "9faf3283884e92834ebc9847d8edd963"
    assert usm.password_to_key(b"maplesyrup", "sha1").hex() == "9fb5cc0381497b3793528939ff788d5d79145211"
    md5 = usm.localise_key(usm.password_to_key(b"maplesyrup", "md5"), ENGINE, "md5")
    sha = usm.localise_key(usm.password_to_key(b"maplesyrup", "sha1"), ENGINE, "sha1")
    assert md5.hex() == "526f5eed9fcce26f8964c2930787d82b"
    assert sha.hex() == "6695febc9288e36282235fc7151f128497b38f3f"


@given(
    st.binary(min_size=1, max_size=200),
    st.sampled_from(["des", "aes128", "aes192", "aes256"]),
    st.integers(0, 2**31 - 1),
)
def test_what_is_encrypted_can_be_read_again(clear, protocol, boots):
    key = bytes(range(usm.PRIVACY_KEY_OCTETS[protocol]))
    secret, salt = usm.encrypt(protocol, key, boots, 99, clear)
    assert usm.decrypt(protocol, key, boots, 99, salt, secret)[: len(clear)] == clear


@pytest.mark.parametrize(
    ("protocol", "salt", "secret"), [("des", b"12345678", b"123"), ("aes128", b"1", b"123"), ("des", b"", bytes(8))]
)
def test_cipher_texts_that_are_none_are_refused(protocol, salt, secret):
    with pytest.raises(BerError):
        usm.decrypt(protocol, bytes(16), 0, 0, salt, secret)


@pytest.mark.parametrize("protocol", usm.DIGESTS)
def test_a_changed_octet_breaks_the_digest(protocol):
    octets = usm.digest_octets(protocol)
    message = b"head" + bytes(octets) + b"tail"
    signed = usm.sign(message, 4, protocol, b"key")
    assert usm.is_authentic(signed, 4, signed[4 : 4 + octets], protocol, b"key")
    assert not usm.is_authentic(signed[:-1] + b"L", 4, signed[4 : 4 + octets], protocol, b"key")
    assert not usm.is_authentic(signed, 4, b"", protocol, b"key")


@pytest.mark.parametrize(
    ("boots", "time", "known_boots", "known_time", "fresh"),
    [
        (1, 100, 1, 100, True),
        (1, 0, 1, 150, True),
        (1, 0, 1, 151, False),
        (0, 999, 1, 0, False),
        (2, 0, 1, 9999, True),
        (2**31 - 1, 5, 2**31 - 1, 5, False),
    ],
)
def test_the_time_window_is_150_seconds(boots, time, known_boots, known_time, fresh):
    assert usm.is_in_time_window(boots, time, known_boots, known_time) is fresh


def test_secrets_never_show_in_a_credential():
    text = repr(Credential("3", b"c0mmunity", "edu", "sha256", "auth-secret", "aes128", "priv-secret"))
    assert not any(secret in text for secret in ("c0mmunity", "auth-secret", "priv-secret"))


@pytest.mark.parametrize(
    "arguments",
    [
        {"version": "4"},
        {"version": "3"},
        {"version": "3", "user": "a", "auth_protocol": "sha3", "auth_key": "12345678"},
        {"version": "3", "user": "a", "auth_protocol": "md5", "auth_key": "short"},
        {"version": "3", "user": "a", "priv_protocol": "des", "priv_key": "12345678"},
        {
            "version": "3",
            "user": "a",
            "auth_protocol": "md5",
            "auth_key": "12345678",
            "priv_protocol": "rot13",
            "priv_key": "12345678",
        },
    ],
)
def test_credentials_that_do_not_fit_together_are_refused(arguments):
    with pytest.raises(ValueError):
        Credential(**arguments)
