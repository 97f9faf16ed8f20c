"""Any address that Apprise understands. Not for WeCom, DingTalk and Feishu: for Apprise every HTTP 200 is a success (docs/decisions/0111)."""

import logging
from collections.abc import Mapping
from typing import Any

from collector.outlets.sending import Message, short
from collector.telling.messages import Limit
from collector.telling.post import Outcome

LIMIT = Limit(1000, "bytes")
"""Its services differ: this fits nearly all."""


class Apprise:
    """config: url."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def send(self, message: Message) -> Outcome:
        """By Apprise's own means, with what it logs as the answer."""
        try:
            import apprise
        except ImportError:
            return Outcome(False, "Apprise is not installed: pip install apprise")
        way = apprise.Apprise()
        if not way.add(self.config["url"]):
            return Outcome(False, "Apprise does not know such an address")
        capture: Any = apprise.LogCapture  # untyped there
        with capture(level=logging.WARNING) as said:
            ok = bool(way.notify(body=message.text, title=""))
            answer = short(said.getvalue())
        return Outcome(ok, answer or ("taken" if ok else "Apprise could not deliver it"))

    def close(self) -> None:
        """Nothing is kept open."""
