"""What every sender gets and gives: a message, an outcome; and JSON by POST. No outcome holds an address or a key."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from collector.telling.post import Outcome

TIMEOUT_S = 10.0

RATE_PAUSE_S = 60.0
"""How long a far side is left alone that says only that it hears too much."""

MOST_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Message:
    """One message. key: of this message (`delivery.message`). to: addresses of persons; mentions: telephone numbers to be called upon in a group.

    incidents: for machines, one row each (`webhook.py`).
    """

    text: str
    key: str
    to: Sequence[str] = ()
    mentions: Sequence[str] = ()
    language: str = "zh"
    incidents: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def title(self) -> str:
        """The first line."""
        return self.text.split("\n", 1)[0]


class Sender(Protocol):
    """One outlet, ready to send. Made from its checked configuration; `send` never raises for what the far side does."""

    def send(self, message: Message) -> Outcome:
        """Send one message, and say what became of it."""

    def close(self) -> None:
        """Let go of connections."""


class HttpSender:
    """A sender over HTTP. Redirects are not followed, and no proxy is taken from the environment: `proxy` names one."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.client = httpx.Client(timeout=TIMEOUT_S, trust_env=False, proxy=config.get("proxy") or None)

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def request(self, method: str, url: str, **more: Any) -> httpx.Response | Outcome:
        """The answer, or why there is none: what failed on the way, or a status that is no success."""
        try:
            response = self.client.request(method, url, **more)
        except httpx.InvalidURL as error:
            return Outcome(False, f"the address is wrong: {error}")
        except httpx.TimeoutException:
            return Outcome(False, f"no answer within {TIMEOUT_S:g} s")
        except httpx.HTTPError as error:
            return Outcome(False, f"{type(error).__name__}: {error}")
        if response.is_success:
            return response
        return Outcome(False, f"HTTP {response.status_code}: {short(response.text)}", _pause_of(response))

    def post_json(self, url: str, body: Any, **more: Any) -> dict[str, Any] | Outcome:
        """The JSON object that is the answer, or what is wrong."""
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json; charset=utf-8", **more.pop("headers", {})}
        found = self.request("POST", url, content=content, headers=headers, **more)
        if isinstance(found, Outcome):
            return found
        try:
            answer = found.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            return Outcome(False, f"HTTP {found.status_code}, but no JSON object: {short(found.text)}")
        return answer


def judged(answer: dict[str, Any] | Outcome, code: str, words: str, slow_down: Mapping[int, float]) -> Outcome:
    """A robot's answer: HTTP 200 says nothing, its `code` does. slow_down: codes of too much, and how long to pause then."""
    if isinstance(answer, Outcome):
        return answer
    number, said = answer.get(code), f"{code} {answer.get(code)}: {short(str(answer.get(words, '')))}"
    if number == 0 and not isinstance(number, bool):
        return Outcome(True, said)
    return Outcome(False, said, slow_down.get(number, 0.0) if isinstance(number, int) else 0.0)


def short(text: str) -> str:
    """An answer's beginning, on one line."""
    return " ".join(text.split())[:MOST_ANSWER]


def scrub(text: str, config: Mapping[str, Any]) -> str:
    """`text` without anything that the configuration keeps: an answer may repeat what it was asked."""
    for secret in sorted(secrets_of(config), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text[:MOST_ANSWER]


def secrets_of(config: Mapping[str, Any]) -> set[str]:
    """Strings that must stand nowhere: passwords, keys, what follows the host in an address."""
    found = {str(config[name]) for name in ("secret", "password", "proxy") if config.get(name)}
    url = str(config.get("url") or "")
    if url:
        found.add(url)
        rest = url.split("://", 1)[-1].split("/", 1)
        found |= {part for part in (rest[1] if len(rest) > 1 else "").replace("?", "&").split("&") if len(part) >= 6}
        found |= {part.split("=", 1)[-1] for part in list(found) if "=" in part and len(part.split("=", 1)[-1]) >= 6}
    found |= {str(value) for value in dict(config.get("headers") or {}).values() if len(str(value)) >= 6}
    return found


def _pause_of(response: httpx.Response) -> float:
    asked = response.headers.get("retry-after", "")
    if asked.isdigit():
        return min(3600.0, float(asked))
    return RATE_PAUSE_S if response.status_code == 429 else 0.0
