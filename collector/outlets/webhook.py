"""JSON by POST for other programs, signed by HMAC-SHA256."""

import hashlib
import hmac
import json
import time

from collector.outlets.sending import HttpSender, Message, short
from collector.telling.messages import Limit
from collector.telling.post import Outcome

LIMIT = Limit(200_000, "characters", listed=200)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the hex of HMAC-SHA256 under the secret of timestamp, dot, body."""
    code = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={code}"


class Webhook(HttpSender):
    """config: url; secret, empty: unsigned."""

    def send(self, message: Message) -> Outcome:
        """The text, and a row for each incident. Any 2xx takes it. X-Edunet-Delivery is the same where it is sent again."""
        value = {"message": message.key, "text": message.text, "incidents": list(message.incidents)}
        body = json.dumps(value, ensure_ascii=False).encode()
        now = str(int(time.time()))
        headers = {
            "content-type": "application/json; charset=utf-8",
            "x-edunet-delivery": message.key,
            "x-edunet-timestamp": now,
        }
        if self.config.get("secret"):
            headers["x-edunet-signature"] = sign(self.config["secret"], now, body)
        found = self.request("POST", self.config["url"], content=body, headers=headers)
        return found if isinstance(found, Outcome) else Outcome(True, f"HTTP {found.status_code}: {short(found.text)}")
