"""How much each kind of outlet takes in one message: a row each."""

from collector.telling.messages import Limit

LIMITS: dict[str, Limit] = {
    "wecom": Limit(2048, "bytes"),
    "dingtalk": Limit(19_000, "bytes"),
    "feishu": Limit(20_000, "bytes", listed=10),
    "mail": Limit(200_000, "characters", listed=200),
    "sms": Limit(268, "characters", listed=2, terse=True),
    "webhook": Limit(200_000, "characters", listed=200),
    "apprise": Limit(1000, "bytes"),
}
"""WeCom: 2,048 bytes of UTF-8 (text); DingTalk: 20,000 bytes, Feishu: 20 KB (30 KB with its envelope) as their documents say; SMS: 4 parts of 67."""
