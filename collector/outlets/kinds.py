"""The kinds of outlets that are told in words: a row each (docs/add-an-outlet.md). Alertmanager is told by `board.py`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from collector.outlets import apprise, dingtalk, feishu, mail, sms, webhook, wecom
from collector.outlets.sending import Sender
from collector.telling.messages import Limit


class Kind(NamedTuple):
    """How an outlet is made from its checked configuration, and what one message may hold."""

    make: Callable[[Mapping[str, Any]], Sender]
    limit: Limit


KINDS: dict[str, Kind] = {
    "wecom": Kind(wecom.WeCom, wecom.LIMIT),
    "dingtalk": Kind(dingtalk.DingTalk, dingtalk.LIMIT),
    "feishu": Kind(feishu.Feishu, feishu.LIMIT),
    "mail": Kind(mail.Mail, mail.LIMIT),
    "sms": Kind(sms.Sms, sms.LIMIT),
    "webhook": Kind(webhook.Webhook, webhook.LIMIT),
    "apprise": Kind(apprise.Apprise, apprise.LIMIT),
}


def limit_of(kind: str, config: Mapping[str, Any] | None = None) -> Limit:
    """What one message of a kind may hold, as its configuration says."""
    limit = KINDS[kind].limit if kind in KINDS else Limit()
    most = (config or {}).get("most_characters")
    return replace(limit, most=most) if most else limit
