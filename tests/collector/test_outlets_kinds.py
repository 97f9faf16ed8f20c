"""Each kind of outlet against a server that answers as its documents say, errors included."""

import hashlib
import hmac
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from far_sides import KEY, SECRET, FarSide, far_side

from collector.outlets import sending
from collector.outlets.kinds import KINDS, limit_of
from collector.outlets.sending import Message, scrub
from collector.outlets.sms import fill
from inventory.models import OutletKind, utcnow
from inventory.outlets import CONFIGS, check_config

MESSAGE = Message(
    "【断网·严重】小店区汇聚 #7\n自 08:00 起（5 分钟）",
    "0123456789abcdef",
    mentions=["13800000001"],
    incidents=[{"incident": 7, "event": "opened"}],
)


def _send(side: FarSide, message: Message = MESSAGE, **config: Any) -> Any:
    given = {"url": side.url, **config}
    sender = KINDS[side.kind].make(check_config(side.kind, given))
    try:
        return sender.send(message)
    finally:
        sender.close()


def test_every_kind_has_a_configuration_and_a_sender() -> None:
    assert set(CONFIGS) == {kind.value for kind in OutletKind}
    assert set(KINDS) == {kind.value for kind in OutletKind} - {"alertmanager"}


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu", "sms", "webhook"])
def test_a_message_arrives(kind: str) -> None:
    with far_side(kind) as side:
        outcome = _send(side, Message(MESSAGE.text, "k", to=["13800000002"] if kind == "sms" else []))
        assert outcome.ok, outcome
        assert len(side.taken) == 1
        assert MESSAGE.text in side.taken[0]


@pytest.mark.parametrize(
    ("kind", "body", "pause"),
    [
        ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, 60),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, 0),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, 600),
        ("dingtalk", {"errcode": 310000, "errmsg": "keywords not in content"}, 0),
        ("feishu", {"code": 9499, "msg": "too many request"}, 60),
        ("feishu", {"code": 11232, "msg": "frequency limited"}, 60),
        ("feishu", {"StatusCode": 19024, "StatusMessage": "Key Words Not Found"}, 0),
        ("wecom", {"hello": "world"}, 0),
        ("wecom", ["no object"], 0),
        ("feishu", "<html>a portal</html>", 0),
        ("dingtalk", {"errcode": "0"}, 0),
    ],
)
def test_an_error_inside_http_200_is_an_error(kind: str, body: Any, pause: float) -> None:
    with far_side(kind) as side:
        side.script.append((200, body))
        outcome = _send(side)
        assert not outcome.ok
        assert outcome.pause_s == pause
        assert _send(side).ok


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu", "sms", "webhook"])
def test_a_status_that_is_no_success_is_an_error(kind: str) -> None:
    message = Message("x", "k", to=["138"])
    with far_side(kind) as side:
        side.script += [(500, "broken"), (302, ""), (429, "slower")]
        assert [_send(side, message).ok for _ in range(4)] == [False, False, False, True]
        side.script.append((429, "slower"))
        assert _send(side, message).pause_s == 60


def test_a_far_side_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.3)
    with far_side("wecom") as side:
        side.script.append(2.0)
        outcome = _send(side)
        assert not outcome.ok
        assert "no answer" in outcome.answer
        port = side.port
    gone = FarSide("wecom", port=port)
    assert not _send(gone).ok


def test_dingtalk_and_feishu_are_signed() -> None:
    for kind in ("dingtalk", "feishu"):
        with far_side(kind, secret=SECRET) as side:
            assert _send(side, secret=SECRET).ok
            assert not _send(side, secret="another").ok
            assert not _send(side).ok


def test_wecom_and_dingtalk_mention_those_on_duty() -> None:
    with far_side("wecom") as side:
        _send(side)
        assert side.heard[0].json["text"]["mentioned_mobile_list"] == ["13800000001"]
    with far_side("dingtalk") as side:
        _send(side)
        assert side.heard[0].json["at"]["atMobiles"] == ["13800000001"]
        assert "@13800000001" in side.taken[0]


def test_a_webhook_is_signed_over_time_and_body() -> None:
    with far_side("webhook") as side:
        assert _send(side, secret=SECRET).ok
        heard = side.heard[0]
        stamp = heard.headers["x-edunet-timestamp"]
        code = hmac.new(SECRET.encode(), stamp.encode() + b"." + heard.body, hashlib.sha256).hexdigest()
        assert heard.headers["x-edunet-signature"] == f"sha256={code}"
        assert heard.headers["x-edunet-delivery"] == MESSAGE.key
        assert heard.json["incidents"] == [{"incident": 7, "event": "opened"}]


def test_of_several_numbers_only_those_that_failed_are_asked_again() -> None:
    with far_side("sms") as side:
        sender = KINDS["sms"].make(
            check_config("sms", {"url": side.url, "to": ["1380001", "1380002"], "ok": '"code": "0"'})
        )
        side.script.append((200, {"code": "0"}))
        side.script.append((200, {"code": "1010", "msg": "no credit"}))
        first = sender.send(MESSAGE)
        assert not first.ok
        assert "no credit" in first.answer
        assert sender.send(MESSAGE).ok
        sender.close()
        assert [heard.json["phone"] for heard in side.heard] == ["1380001", "1380002", "1380002"]


def test_a_template_takes_what_would_break_it() -> None:
    with far_side("sms") as side:
        assert _send(side, Message('a "b"\n{phone}\\', "k", to=["+86 138"])).ok
        assert side.heard[0].json == {"phone": "+86 138", "text": 'a "b"\n{phone}\\'}
    assert fill("p={phone}&t={text}&{x}", "1", "{phone}", str) == "p=1&t={phone}&{x}"


def test_nothing_secret_stands_in_an_answer() -> None:
    config = {"url": f"https://robot.example/send?key={KEY}&x=1", "secret": SECRET, "password": "hunter2hunter2"}
    said = f"bad key {KEY} at {config['url']} with {SECRET}/hunter2hunter2"
    clean = scrub(said, config)
    assert KEY not in clean
    assert SECRET not in clean
    assert "hunter2" not in clean


def test_an_sms_is_as_long_as_its_gateway_takes() -> None:
    assert limit_of("sms").most == 268
    assert limit_of("sms", {"most_characters": 70}).most == 70
    assert limit_of("wecom") == limit_of("wecom", {"url": "x"})


# -- mail ---------------------------------------------------------------------------------------------------------------


class Box:
    """Keeps what it is handed; refuses who is called refused."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("refused"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 accepted"


def _certificate(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for `localhost`, and the authority that signed it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = utcnow()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    pem.write_bytes(private + public)
    (directory / "ca.pem").write_bytes(public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, directory / "ca.pem"


@contextmanager
def _mail_server(box: Box, **more: Any) -> Iterator[int]:
    from aiosmtpd.controller import Controller

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=60, **more)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def _mail(port: int, **more: Any) -> Any:
    config = {"host": "localhost", "port": port, "tls": "none", "sender": "edunet@example.cn", "to": ["a@example.cn"]}
    return KINDS["mail"].make(check_config("mail", {**config, **more}))


def test_mail_arrives_with_its_first_line_as_the_subject() -> None:
    box = Box()
    with _mail_server(box) as port:
        assert _mail(port).send(MESSAGE).ok
        assert _mail(port).send(Message("x", "k", to=["b@example.cn"])).ok
    (first, mail), (second, _) = box.mails
    assert (first, second) == (["a@example.cn"], ["b@example.cn"])
    assert mail["subject"] == "【断网·严重】小店区汇聚 #7"
    assert mail["message-id"] == f"<{MESSAGE.key}@edunet>"
    assert mail.get_content().replace("\r\n", "\n").strip() == MESSAGE.text


def test_mail_is_sent_under_tls_to_who_shows_a_certificate_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = _certificate(tmp_path)
    box = Box()
    with _mail_server(box, tls_context=context, require_starttls=True) as port:
        assert not _mail(port, tls="starttls").send(MESSAGE).ok  # nobody trusts it
        assert not _mail(port).send(MESSAGE).ok
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert _mail(port, tls="starttls").send(MESSAGE).ok
    assert len(box.mails) == 1


def test_whom_a_mail_server_refuses_is_named() -> None:
    box = Box()
    with _mail_server(box) as port:
        outcome = _mail(port, to=["refused@example.cn", "a@example.cn"]).send(MESSAGE)
        assert outcome.ok
        assert "refused@example.cn" in outcome.answer
        outcome = _mail(port, to=["refused@example.cn"]).send(MESSAGE)
        assert not outcome.ok
        assert "refused@example.cn" in outcome.answer
    assert not _mail(port).send(MESSAGE).ok
    assert not _mail(port, to=[]).send(MESSAGE).ok


# -- apprise ------------------------------------------------------------------------------------------------------------


def test_apprise_sends_where_it_knows_how() -> None:
    pytest.importorskip("apprise")
    with far_side("webhook") as side:
        side.script += [(200, "{}"), (500, "no")]
        sender = KINDS["apprise"].make({"url": f"json://127.0.0.1:{side.port}/x"})
        assert sender.send(MESSAGE).ok
        assert side.heard[0].json["message"].startswith("【断网·严重】")
        assert not sender.send(MESSAGE).ok
    assert not KINDS["apprise"].make({"url": "nothing://known"}).send(MESSAGE).ok


def test_apprise_takes_an_error_inside_http_200_for_a_success_which_is_why_robots_are_not_sent_by_it() -> None:
    apprise = pytest.importorskip("apprise")
    with far_side("webhook") as side:
        side.script.append((200, {"errcode": 93000, "errmsg": "invalid webhook url"}))
        assert apprise.Apprise([f"json://127.0.0.1:{side.port}/x"]).notify(body="x")
