"""WeCom (企业微信) group robots: text of at most 2,048 bytes, 20 messages a minute, HTTP 200 with `errcode` for what went wrong."""

from collector.outlets.sending import HttpSender, Message, judged
from collector.telling.messages import Limit
from collector.telling.post import Outcome

LIMIT = Limit(2048, "bytes")
SLOW_DOWN = {45009: 60.0, 45033: 60.0, -1: 5.0}
"""45009: too many calls, 45033: too many at once, -1: busy (developer.work.weixin.qq.com, global error codes)"""


class WeCom(HttpSender):
    """config: url, with its key."""

    def send(self, message: Message) -> Outcome:
        """As text; those on duty are mentioned by their numbers."""
        text = {"content": message.text, "mentioned_mobile_list": list(message.mentions)}
        answer = self.post_json(self.config["url"], {"msgtype": "text", "text": text})
        return judged(answer, "errcode", "errmsg", SLOW_DOWN)
