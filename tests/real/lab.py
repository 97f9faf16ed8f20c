"""A network of namespaces with a router, four schools and a dozen hosts, made by whoever may `unshare -Urn`.

Run as `unshare -Urnpf --mount-proc --kill-child python lab.py`: it builds the network, prints `ready`, then obeys lines on standard input (`cut LINE`,
`mend LINE`, `run COMMAND`, `router COMMAND`, `in NAMESPACE COMMAND`) with `ok` or `error ...`, until the input ends. Everything dies with it.

    monitor 10.0.0.1 -- 10.0.0.2 router --lineA-- gateway of school A 10.1.0.1 -- hosts 10.1.0.11 ..
                                        --lineB1, lineB2-- gateway of school B 10.2.0.1 -- hosts 10.2.0.11 ..
                                        --lineC-- gateway of school C 10.3.0.1 -- hosts 10.3.0.11 ..
                                        --lineD1, lineD2-- gateway of school D 10.4.0.1 -- hosts 10.4.0.11 ..
"""

import subprocess
import sys

HOSTS_OF_A_SCHOOL = 3
SCHOOLS = {"A": (1, ["lineA"]), "B": (2, ["lineB1", "lineB2"]), "C": (3, ["lineC"]), "D": (4, ["lineD1", "lineD2"])}


def sh(command: str, pid: int | None = None) -> None:
    """Run a command, in the network namespace of `pid` where one is given; RuntimeError with its words where it fails."""
    words = command.split()
    if pid is not None:
        words = ["nsenter", "-t", str(pid), "-n", *words]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")


class Lab:
    """The namespaces by name, each held open by a sleeping process."""

    def __init__(self) -> None:
        self.pids: dict[str, int] = {}
        self.holders: list[subprocess.Popen[bytes]] = []

    def add(self, name: str) -> int:
        """A new network namespace, with its loopback up and forwarding on."""
        holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep infinity"], stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        self.holders.append(holder)
        self.pids[name] = holder.pid
        sh("sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.ignore_routes_with_linkdown=1", holder.pid)
        return holder.pid

    def join(self, left: str | None, left_if: str, left_ip: str, right: str, right_if: str, right_ip: str) -> None:
        """A veth pair between two namespaces (None: this one), each end with its address."""
        sh(f"ip link add {left_if} type veth peer name {right_if} netns {self.pids[right]}")
        here = self.pids[left] if left else None
        if here:
            sh(f"ip link set {left_if} netns {here}")
        for pid, name, address in ((here, left_if, left_ip), (self.pids[right], right_if, right_ip)):
            sh(f"ip addr add {address} dev {name}", pid)
            sh(f"ip link set {name} up", pid)

    def build(self) -> None:
        """The whole network."""
        sh("ip link set lo up")
        self.add("router")
        self.join(None, "mon0", "10.0.0.1/24", "router", "up0", "10.0.0.2/24")
        sh("ip route add default via 10.0.0.2")
        for school, (number, lines) in SCHOOLS.items():
            gateway = self.add(f"gw{school}")
            sh(f"ip addr add 10.{number}.0.1/32 dev lo", gateway)
            for place, line in enumerate(lines):
                net = f"10.{number}.{100 + place}"
                self.join("router", line, f"{net}.1/30", f"gw{school}", f"wan{place}", f"{net}.2/30")
                metric = 10 + place
                sh(f"ip route add 10.{number}.0.0/24 via {net}.2 metric {metric}", self.pids["router"])
                sh(f"ip route add default via {net}.1 metric {metric}", gateway)
            for host in range(HOSTS_OF_A_SCHOOL):
                name, address = f"h{school}{host}", f"10.{number}.0.{11 + host}"
                pid = self.add(name)
                self.join(
                    f"gw{school}",
                    f"lan{host}",
                    f"10.{number}.{200 + host}.1/30",
                    name,
                    "eth0",
                    f"10.{number}.{200 + host}.2/30",
                )
                sh(f"ip addr add {address}/32 dev lo", pid)
                sh(f"ip route add default via 10.{number}.{200 + host}.1 src {address}", pid)
                sh(f"ip route add {address}/32 via 10.{number}.{200 + host}.2", gateway)

    def obey(self, line: str) -> None:
        """One command of the test."""
        verb, _, rest = line.partition(" ")
        if verb == "cut":
            sh(f"ip link set {rest} down", self.pids["router"])
        elif verb == "mend":
            sh(f"ip link set {rest} up", self.pids["router"])
            for school, (number, lines) in SCHOOLS.items():
                if rest in lines:
                    place = lines.index(rest)
                    # The kernel drops the routes of a link that went down, and does not bring them back.
                    sh(
                        f"ip route replace 10.{number}.0.0/24 via 10.{number}.{100 + place}.2 metric {10 + place}",
                        self.pids["router"],
                    )
                    sh(
                        f"ip route replace default via 10.{number}.{100 + place}.1 metric {10 + place}",
                        self.pids[f"gw{school}"],
                    )
        elif verb == "run":
            subprocess.Popen(rest.split(), stdin=subprocess.DEVNULL)
        elif verb == "router":
            subprocess.Popen(["nsenter", "-t", str(self.pids["router"]), "-n", *rest.split()], stdin=subprocess.DEVNULL)
        elif verb == "in":
            name, _, command = rest.partition(" ")
            subprocess.Popen(["nsenter", "-t", str(self.pids[name]), "-n", *command.split()], stdin=subprocess.DEVNULL)
        else:
            raise RuntimeError(f"unknown verb {verb}")


def main() -> None:
    """Build, then obey."""
    lab = Lab()
    try:
        lab.build()
        print("ready", flush=True)
        for line in sys.stdin:
            try:
                lab.obey(line.strip())
                print("ok", flush=True)
            except RuntimeError as error:
                print(f"error {error}", flush=True)
    finally:
        for holder in lab.holders:
            holder.kill()


if __name__ == "__main__":
    main()
