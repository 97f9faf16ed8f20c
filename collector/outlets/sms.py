"""An SMS gateway over HTTP: a request for each number, from a template."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from collector.outlets.sending import HttpSender, Message, short
from collector.telling.messages import Limit
from collector.telling.post import Outcome

LIMIT = Limit(268, "characters", listed=2, terse=True)
"""4 parts of 67 UCS-2 characters (3GPP TS 23.040, 9.2.3.24.1); `most_characters` of the configuration says otherwise."""


class Sms(HttpSender):
    """config: url, method, headers, body, content_type, ok, to."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._taken: tuple[str, set[str]] = ("", set())

    def send(self, message: Message) -> Outcome:
        """To the persons named, else to the fixed numbers. Where some failed only those are asked again."""
        to = list(message.to or self.config["to"])
        if not to:
            return Outcome(False, "no number: none is fixed, and nobody is on duty")
        if self._taken[0] != message.text:
            self._taken = (message.text, set())
        outcome = Outcome(True, "taken before")
        for number in to:
            if number in self._taken[1]:
                continue
            outcome = self._send_one(number, message.text)
            if not outcome.ok:
                return outcome
            self._taken[1].add(number)
        return outcome

    def _send_one(self, number: str, text: str) -> Outcome:
        config = self.config
        kind = config["content_type"]
        url = fill(config["url"], number, text, lambda value: quote(value, safe=""))
        more: dict[str, Any] = {"headers": dict(config["headers"])}
        if config["method"] == "POST":
            more["headers"] = {"content-type": f"{kind}; charset=utf-8", **more["headers"]}
            more["content"] = fill(config["body"], number, text, _ENCODE[kind]).encode()
        found = self.request(config["method"], url, **more)
        if isinstance(found, Outcome):
            return found
        said = short(found.text)
        if config["ok"] and not re.search(config["ok"], found.text):
            return Outcome(False, f"HTTP {found.status_code}, but: {said}")
        return Outcome(True, said)


def fill(template: str, number: str, text: str, encode: Any) -> str:
    """The template with {phone} and {text} in it; other braces stay."""
    values = {"{phone}": encode(number), "{text}": encode(text)}
    return re.sub(r"\{phone\}|\{text\}", lambda match: str(values[match[0]]), template)


_ENCODE = {
    "application/json": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "application/x-www-form-urlencoded": quote_plus,
    "text/plain": str,
}
