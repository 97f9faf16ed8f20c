"""Feishu (飞书) and Lark group robots: text, signed where a secret is set, 100 messages a minute, HTTP 200 with `code`."""

import base64
import hashlib
import hmac
import time
from typing import Any

from collector.outlets.sending import HttpSender, Message, judged
from collector.telling.messages import Limit
from collector.telling.post import Outcome

LIMIT = Limit(19_000, "bytes", listed=10)
"""The body may have 20 KB (open.feishu.cn, custom bots); some documents say 30."""

SLOW_DOWN = {9499: 60.0, 11232: 60.0, 99991400: 60.0}
"""9499: too many requests, 11232 and 99991400: limited"""


def sign(secret: str, seconds: int) -> str:
    """HMAC-SHA256 of nothing under `timestamp` newline `secret`, in base64."""
    code = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(code).decode()


class Feishu(HttpSender):
    """config: url, whose last part is the key; secret, empty: unsigned."""

    def send(self, message: Message) -> Outcome:
        """As text. Older robots answer `StatusCode` for `code`."""
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": message.text}}
        if self.config.get("secret"):
            now = int(time.time())
            body |= {"timestamp": str(now), "sign": sign(self.config["secret"], now)}
        answer = self.post_json(self.config["url"], body)
        if isinstance(answer, dict) and "code" not in answer and "StatusCode" in answer:
            answer = {"code": answer["StatusCode"], "msg": answer.get("StatusMessage", "")}
        return judged(answer, "code", "msg", SLOW_DOWN)
