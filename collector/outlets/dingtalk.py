"""DingTalk (钉钉) group robots: text, signed where a secret is set (加签), 20 messages a minute and then ten minutes of silence."""

import base64
import hashlib
import hmac
import time

from collector.outlets.sending import HttpSender, Message, judged
from collector.telling.messages import Limit
from collector.telling.post import Outcome

LIMIT = Limit(19_000, "bytes")
"""The body may have 20,000 bytes."""

SLOW_DOWN = {130101: 600.0, 410100: 600.0, -1: 5.0}
"""130101, 410100: sent too fast, and the robot is closed for ten minutes; -1: busy (open.dingtalk.com, custom robots)"""


def sign(secret: str, milliseconds: int) -> str:
    """HMAC-SHA256 under the secret of `timestamp` newline `secret`, in base64."""
    code = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(code).decode()


class DingTalk(HttpSender):
    """config: url, with its access_token; secret, empty: unsigned."""

    def send(self, message: Message) -> Outcome:
        """As text; who is mentioned must stand in the text too."""
        calls = " ".join(f"@{number}" for number in message.mentions)
        text = f"{message.text}\n{calls}" if calls else message.text
        body = {
            "msgtype": "text",
            "text": {"content": text},
            "at": {"atMobiles": list(message.mentions), "isAtAll": False},
        }
        query = {}
        if self.config.get("secret"):
            now = int(time.time() * 1000)
            query = {"timestamp": str(now), "sign": sign(self.config["secret"], now)}
        answer = self.post_json(str(self._address(query)), body)
        return judged(answer, "errcode", "errmsg", SLOW_DOWN)

    def _address(self, query: dict[str, str]) -> object:
        from httpx import URL

        return URL(self.config["url"]).copy_merge_params(query) if query else self.config["url"]
