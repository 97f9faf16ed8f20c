"""The words of the calls' errors, Chinese and English, a row each. Pages have catalogues of their own (`api/pages`)."""

from typing import Literal

from starlette.requests import Request

Language = Literal["zh", "en"]

PROBLEMS: dict[str, tuple[str, str]] = {
    "unauthenticated": ("请先登录，或提供令牌", "Sign in, or send a bearer token"),
    "bad-token": ("令牌无效或已过期", "The token is not valid, or has expired"),
    "wrong-login": ("用户名或密码不正确", "The name or the password is wrong"),
    "wrong-link": ("登录链接无效、已使用或已过期", "The sign-in link is not valid, was used, or has expired"),
    "wall-gone": (
        "大屏链接无效、已撤销或已到期",
        "The wall screen's link is not valid, was revoked, or has ended",
    ),
    "too-many-tries": ("尝试过于频繁，请 {seconds} 秒后再试", "Too many tries: wait {seconds} seconds"),
    "csrf": ("页面已过期，请刷新后重试", "The page is out of date: load it again, then repeat"),
    "must-change": ("请先修改密码", "Change your password first"),
    "forbidden": ("没有权限执行此操作", "You may not do this"),
    "admin-only": ("只有管理员可以执行此操作", "Only an administrator may do this"),
    "token-scope": ("此令牌的用途是 {scope}，不能用于此处", "This token is for {scope}, not for this"),
    "outside": ("超出您的管辖范围", "This is outside your part of the province"),
    "not-found": ("没有找到", "There is no such thing"),
    "not-allowed": ("不支持该方法", "This method is not supported here"),
    "invalid": ("有 {count} 处输入不正确", "{count} of the values are wrong"),
    "clash": ("{field} 与已有记录重复", "{field} clashes with what is there"),
    "in-use": ("仍被 {what} 引用，不能删除", "It is still used by {what}, and cannot be deleted"),
    "begun": ("已经开始，不能删除：请改其结束时间", "It has begun and stays on record: change its end instead"),
    "shipped": ("随程序提供的规则不能删除：请停用", "It came with edunet, and cannot be deleted: switch it off"),
    "closed": ("事件已结束", "The incident is over"),
    "need-match": ("请用 If-Match 说明所修改的版本", "Say by If-Match which version you change"),
    "stale": ("记录已被他人修改，请重新读取", "Someone has changed it meanwhile: read it again"),
    "too-large": ("内容超过上限 {limit} MB", "The body is larger than {limit} MB"),
    "bad-host": ("Host 头不是本机的名称", "The Host header is none of this server's names"),
    "collector-gone": (
        "采集程序没有应答，实时数据暂不可用",
        "The collector does not answer: live data cannot be had now",
    ),
    "absent": ("此功能在本安装中不可用", "This is not part of this installation"),
    "import-wrong": ("文件中有 {count} 个单元格不正确，未写入任何内容", "{count} cells are wrong; nothing was written"),
    "cannot-undo": ("无法撤销：{why}", "It cannot be undone: {why}"),
    "failed": ("服务器内部错误，编号 {id}", "The server failed, number {id}"),
    "http": ("请求无法处理", "The request cannot be served"),
}
"""code: (zh, en)."""

FIELD_ERRORS: dict[str, tuple[str, str]] = {
    "missing": ("缺少此项", "is missing"),
    "extra_forbidden": ("没有这一项", "is not known here"),
    "enum": ("不是允许的值", "is none of the allowed values"),
    "literal_error": ("不是允许的值", "is none of the allowed values"),
    "string_too_long": ("太长", "is too long"),
    "string_too_short": ("太短", "is too short"),
    "value_error": ("格式不正确", "has the wrong form"),
    "string_type": ("应为文字", "should be text"),
    "string_pattern_mismatch": ("格式不正确", "has the wrong form"),
    "int_parsing": ("应为整数", "should be a whole number"),
    "int_type": ("应为整数", "should be a whole number"),
    "int_from_float": ("应为整数", "should be a whole number"),
    "float_parsing": ("应为数字", "should be a number"),
    "float_type": ("应为数字", "should be a number"),
    "bool_parsing": ("应为 true 或 false", "should be true or false"),
    "bool_type": ("应为 true 或 false", "should be true or false"),
    "greater_than_equal": ("太小", "is too small"),
    "less_than_equal": ("太大", "is too large"),
    "list_type": ("应为列表", "should be a list"),
    "too_long": ("太多", "has too many"),
    "model_type": ("应为对象", "should be an object"),
    "model_attributes_type": ("应为 JSON 对象", "should be a JSON object"),
    "dict_type": ("应为对象", "should be an object"),
    "json_invalid": ("不是合法的 JSON", "is not valid JSON"),
    "timezone_aware": ("时间须带时区", "needs a time zone"),
    "no-such": ("没有这条记录，或不在您的管辖范围", "there is no such one, or it is outside your part"),
    "clash": ("已被使用", "is taken"),
    "outside": ("超出您的管辖范围", "is outside your part of the province"),
    "bad-cursor": ("翻页标记无效，请从第一页开始", "is no cursor of this list: begin at the first page"),
    "bad-address": ("不是合法的 IP 地址", "is no IP address"),
    "bad-prefix": ("不是合法的网段", "is no CIDR prefix"),
    "empty": ("不能为空", "must not be empty"),
    "one-of": ("需要其中之一", "needs one of these"),
    "same": ("不能相同", "must not be the same"),
    "before": ("应晚于开始时间", "must be later than its beginning"),
    "weak": ("密码太短或太常见", "is too short or too common a password"),
    "wrong": ("不正确", "is wrong"),
    "loop": ("会形成环路", "would make a loop"),
    "wrong-secret": ("凭据不正确", "does not make a credential"),
    "future": ("时间范围不正确", "is no such span of time"),
}
"""Pydantic's error type, or our own: (zh, en)."""


def language_of(request: Request) -> Language:
    """The caller's language: the signed-in user's locale, else the best of Accept-Language, else Chinese."""
    locale = getattr(request.state, "locale", "")
    if locale in ("zh", "en"):
        return "zh" if locale == "zh" else "en"
    return best_language(request.headers.get("accept-language", ""))


def best_language(header: str) -> Language:
    """The better of zh and en by an Accept-Language header (RFC 9110, 12.5.4); zh where it names neither."""
    weights = {"zh": 0.0, "en": 0.0}
    for part in header.split(","):
        tag, _, rest = part.strip().partition(";")
        main = tag.lower().split("-")[0]
        if main in weights:
            weights[main] = max(weights[main], _weight(rest))
    return "en" if weights["en"] > weights["zh"] else "zh"


def _weight(rest: str) -> float:
    name, _, value = rest.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def say(code: str, language: Language, **values: object) -> str:
    """The words of a problem."""
    zh, en = PROBLEMS[code]
    return (zh if language == "zh" else en).format(**values)


def say_field(kind: str, language: Language, fallback: str = "") -> str:
    """The words of what is wrong with one field; `fallback` where the kind has none."""
    if kind not in FIELD_ERRORS:
        return fallback
    zh, en = FIELD_ERRORS[kind]
    return zh if language == "zh" else en
