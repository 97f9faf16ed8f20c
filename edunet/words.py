"""What `edunet up` says at the terminal, in Chinese and English."""

STATE = "状态目录 state directory: {state}"
ALREADY = (
    "edunet 已在运行(进程 {pid}),使用同一状态目录 {state}。\n"
    "edunet is already running (process {pid}) on the state directory {state}: end it first, or set EDUNET_STATE_DIR."
)
NO_STATE = "状态目录无法使用 the state directory cannot be used: {error}  (EDUNET_STATE_DIR)"
LONG_STATE = (
    "状态目录的路径太长，套接字放不下：{state}\n"
    "The path of the state directory is too long for sockets: {state}. Set EDUNET_STATE_DIR to a shorter one."
)
WRONG_LISTEN = "监听地址有误 wrong listening address: {error}"
HALF_TLS = (
    "api.tls_cert 与 api.tls_key 须同时设置。 api.tls_cert and api.tls_key need each other: one of them is empty."
)
TAKEN = (
    "{address}:{port} 已被别的程序占用；换一个端口:make run LISTEN={address}:{other}\n"
    "Another program listens on {address}:{port}. Take another port: make run LISTEN={address}:{other}"
)
NO_LISTEN = "无法监听 cannot listen on {address}:{port}: {error}"
NO_DATABASE = "打不开登记库 the register {url} cannot be opened: {error}"
BUILDING = "  正在建立演示省 building the demonstration province … {share:3d} %  {what}"
STEPS = {
    "province": "规划 planning",
    "schools": "学校 schools",
    "devices": "设备 devices",
    "lines": "专线 lines",
    "history": "历史 history",
    "done": "完成 done",
}
PAGE = "\n  网页 page            {url}"
PASSWORD = "  管理员 administrator {name}\n  密码 password        {password}  (只显示这一次 shown this once)"
LINK = "  一次性登录 one-time link {url}login/link/{link}"
DEMONSTRATION = (
    "  登记库是空的，先看演示省(数据与设备都是虚构的，不会向外发送任何通知);edunet demo leave 结束演示。\n"
    "  The register is empty: this is the demonstration province (all invented, it sends nothing outside). `edunet demo leave` ends it."
)
NO_TLS = (
    "\n*** 警告 WARNING ***\n"
    "*** {address} 对外可见，但没有 TLS:密码和会话会以明文传输。请设置 api.tls_cert 与 api.tls_key。\n"
    "*** {address} is open to others without TLS: passwords and sessions go in clear. Set api.tls_cert and api.tls_key.\n"
)
CTRL_C = "  Ctrl-C 结束 ends everything\n"
ENDING = "正在结束 ending …"
SNMP_ONLY = (
    "本机不允许 unshare,演示设备只能用 SNMP 监测，断网时不应答 SNMP。"
    " This machine refuses network namespaces: the demonstration is watched by SNMP alone, ping cannot be silenced here."
)
NO_HOST = "演示的应答程序没有起来 the demonstration's responder does not answer; it is started again and again"
ALIVE = "{up}/{all} 台设备有应答 devices answer ({seconds:.0f} s)"
LEAVING = "结束演示，启用真实登记库 leaving the demonstration for the real register"
LEFT = "\n  演示已结束 the demonstration has ended: {url}"

PING_RAW = "  Ping 方式 pings by: raw ICMP"
PING_DATAGRAM = "  Ping 方式 pings by: datagram ICMP"
PING_FPING = (
    "  Ping 方式 pings by: fping。更好 better: sudo sysctl -w net.ipv4.ping_group_range='0 2147483647'  (datagram ICMP)"
)
PING_TCP = (
    "  Ping 方式 pings by: TCP connect(不能判断断网 nothing is called cut off by it)。"
    "更好 better: sudo sysctl -w net.ipv4.ping_group_range='0 2147483647', or apt install fping"
)

TRAPS = "Trap 接收地址 traps are heard on: UDP {places}"
NO_TRAPS = "不接收 Trap no traps are heard (collector.traps_listen)"
NOT_ON = "  ({trouble})"


def trap_words(listening: list[str], trouble: list[str]) -> str:
    """Where traps are heard, and which port could not be had."""
    said = TRAPS.format(places=", ".join(listening)) if listening else NO_TRAPS
    return said + NOT_ON.format(trouble="; ".join(trouble)) if trouble else said


def ping_words() -> str:
    """Which way this process can ping the real network, and how to get a better one."""
    from probes.icmp import open_pinger

    # fping may be installed and still not be allowed to run (a bounding set without CAP_NET_RAW): only trying tells.
    pinger = open_pinger()
    pinger.close()
    return {"raw": PING_RAW, "dgram": PING_DATAGRAM, "fping": PING_FPING}.get(pinger.method, PING_TCP)
