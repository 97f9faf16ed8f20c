"""Mail by SMTP: plain, STARTTLS, or TLS from the first byte."""

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from collector.outlets.sending import Message, short
from collector.telling.messages import Limit
from collector.telling.post import Outcome

LIMIT = Limit(200_000, "characters", listed=200)
TIMEOUT_S = 20.0


class Mail:
    """config: host, port, tls, user, password, sender, to. A connection for each message."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def send(self, message: Message) -> Outcome:
        """To the persons named, else to the fixed addresses. Some refused: it counts as sent, and the answer names them."""
        to = list(message.to or self.config["to"])
        if not to:
            return Outcome(False, "no address: none is fixed, and nobody is on duty")
        try:
            with self._connect() as server:
                refused = server.send_message(self._mail(message, to))
        except smtplib.SMTPRecipientsRefused as error:
            return Outcome(False, short(f"all refused: {', '.join(error.recipients)}"))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Outcome(False, short(f"{type(error).__name__}: {error}"))
        return Outcome(True, short(f"refused: {', '.join(refused)}") if refused else "250 accepted")

    def close(self) -> None:
        """Nothing is kept open."""

    def _connect(self) -> smtplib.SMTP:
        config = self.config
        context = ssl.create_default_context()
        if config["tls"] == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(config["host"], config["port"], timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(config["host"], config["port"], timeout=TIMEOUT_S)
        try:
            if config["tls"] == "starttls":
                server.starttls(context=context)
            if config["user"]:
                server.login(config["user"], config["password"])
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: Message, to: list[str]) -> EmailMessage:
        """An RFC 5322 message; the same message again has the same Message-ID, by which servers know a double."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self.config["sender"], ", ".join(to)
        mail["Subject"] = message.title[:200]
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{message.key}@edunet>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail
