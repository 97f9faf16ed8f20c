"""What the rounds last measured, as columns in memory shared with the judge's process: no message for each sample.

One writer (the rounds process), any number of readers. The memory is an anonymous file (memfd) whose descriptor goes through
the channel: nothing stands in a file system, nothing is left over after a kill. A block is made anew when its shape changes
(a new plan, a device with more ports than before); the old one goes with its last reader.

Rows of one target are guarded by `seq` (a sequence lock): odd while they are written; a reader that finds it changed reads again.
"""

import mmap
import os
import struct
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISS, UNASKED, NO_RTT = float("nan"), -1.0, -2.0
"""In `ring`: asked without an answer; not asked; answered, but not by a ping."""

BY_PING, BY_SNMP, BY_TCP = 1, 2, 4
"""Bits of `answered`."""

COUNTER_COLUMNS = (
    "ifAdminStatus",
    "ifOperStatus",
    "ifHCInOctets",
    "ifHCOutOctets",
    "ifInErrors",
    "ifOutErrors",
    "ifInDiscards",
    "ifOutDiscards",
    "ifHighSpeed",
)
"""Columns of `counters`, in order; bit i of `present` says whether column i was there."""

COUNTER32 = 0x4000
"""Bit of `present`: the octets are Counter32, and wrap at 2^32."""

_HEAD = struct.Struct("=4sIQQQQ")
_MAGIC = b"edu3"

_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("ring_at", "f8", "window"),
    ("ring", "f4", "window*targets"),
    ("ring_lost", "u1", "window*targets"),
    ("device_id", "i8", "targets"),
    ("seq", "u4", "targets"),
    ("answered", "u1", "targets"),
    ("answered_at", "f8", "targets"),
    ("rtt_s", "f4", "targets"),
    ("uptime", "i8", "targets"),
    ("uptime_at", "f8", "targets"),
    ("reading_at", "f8", "targets"),
    ("complete", "u1", "targets"),
    ("snmp_misses", "i4", "targets"),
    ("snmp_rtt_s", "f4", "targets"),
    ("snmp_usual_s", "f4", "targets"),
    ("snmp_rows", "u1", "targets"),
    ("snmp_width", "u1", "targets"),
    ("snmp_dialect", "u1", "targets"),
    ("backed_off", "u1", "targets"),
    ("over_budget", "u1", "targets"),
    ("snmp_sends", "u2", "targets"),
    ("offsets", "i8", "targets+1"),
    ("if_index", "i8", "ports"),
    ("name_id", "i4", "ports"),
    ("present", "u2", "ports"),
    ("counters", "u8", "ports*9"),
    ("in_bps", "f4", "ports"),
    ("out_bps", "f4", "ports"),
)


@dataclass(frozen=True)
class Shape:
    """Numbers of targets, of ports (rows) and of liveness rounds that are kept; `version` is the plan's."""

    version: int
    targets: int
    ports: int
    window: int


class Columns:
    """The columns of one block, as numpy arrays over shared memory.

    Of targets (n): `answered` (bits), `answered_at`, `rtt_s` (NaN: none), `uptime` (hundredths; -1 unknown), `uptime_at`, `reading_at` (0: never),
    `complete`, `snmp_misses` (reading rounds without an answer on end), `device_id`, `seq`. Of how it is asked (`probes/snmp/pace.py`):
    `snmp_rtt_s` and `snmp_usual_s` (seconds, NaN), `snmp_rows`, `snmp_width`, `snmp_dialect`, `backed_off` (level), `over_budget`, `snmp_sends`. Of liveness rounds: `ring` (window × n, seconds, see MISS), `ring_at`,
    `ring_lost` (window × n: pings without an answer, those of a round that was answered at last among them).
    Of ports: rows `offsets[i]:offsets[i + 1]` are target i's; `if_index`, `name_id`, `present`, `counters` (ports × 9), `in_bps`, `out_bps` (NaN unknown).
    """

    ring_at: NDArray[np.float64]
    ring: NDArray[np.float32]
    ring_lost: NDArray[np.uint8]
    device_id: NDArray[np.int64]
    seq: NDArray[np.uint32]
    answered: NDArray[np.uint8]
    answered_at: NDArray[np.float64]
    rtt_s: NDArray[np.float32]
    uptime: NDArray[np.int64]
    uptime_at: NDArray[np.float64]
    reading_at: NDArray[np.float64]
    complete: NDArray[np.uint8]
    snmp_misses: NDArray[np.int32]
    snmp_rtt_s: NDArray[np.float32]
    snmp_usual_s: NDArray[np.float32]
    snmp_rows: NDArray[np.uint8]
    snmp_width: NDArray[np.uint8]
    snmp_dialect: NDArray[np.uint8]
    backed_off: NDArray[np.uint8]
    over_budget: NDArray[np.uint8]
    snmp_sends: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    if_index: NDArray[np.int64]
    name_id: NDArray[np.int32]
    present: NDArray[np.uint16]
    counters: NDArray[np.uint64]
    in_bps: NDArray[np.float32]
    out_bps: NDArray[np.float32]

    def __init__(self, fd: int, shape: Shape, writable: bool) -> None:
        self.shape = shape
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        self._map = mmap.mmap(fd, _size(shape), access=access)
        place = 64
        for name, code, dims in _FIELDS:
            dtype = np.dtype(code)
            extent = _extent(dims, shape)
            array = np.frombuffer(self._map, dtype, int(np.prod(extent)), place).reshape(extent)
            setattr(self, name, array)
            place += -(-array.nbytes // 64) * 64

    def read_rows(self, names: tuple[str, ...], low: int, high: int, tries: int = 20) -> dict[str, NDArray[Any]]:
        """Copies of target columns `names` and of these targets' ports, of one moment for each target.

        A target that is being written at every try is given as it is.
        """
        low, high = max(low, 0), min(high, self.shape.targets)
        rows = slice(int(self.offsets[low]), int(self.offsets[high]))
        for _ in range(tries):
            before = self.seq[low:high].copy()
            found = {
                name: getattr(self, name)[rows if name in _PORT_FIELDS else slice(low, high)].copy() for name in names
            }
            if not (before & 1).any() and (before == self.seq[low:high]).all():
                break
            time.sleep(0.0005)  # the writer needs less to get on
        return found


_PORT_FIELDS = frozenset(name for name, _, dims in _FIELDS if dims.startswith("ports"))


def create(shape: Shape) -> tuple[int, Columns]:
    """A new block, all unknown: its descriptor and its columns, for writing."""
    fd = os.memfd_create("edunet-columns", os.MFD_CLOEXEC)
    os.ftruncate(fd, _size(shape))
    os.pwrite(fd, _HEAD.pack(_MAGIC, 1, shape.version, shape.targets, shape.ports, shape.window), 0)
    columns = Columns(fd, shape, writable=True)
    columns.ring[:] = UNASKED
    columns.rtt_s[:] = np.nan
    columns.uptime[:] = -1
    columns.snmp_rtt_s[:] = np.nan
    columns.snmp_usual_s[:] = np.nan
    columns.name_id[:] = -1
    columns.in_bps[:] = np.nan
    columns.out_bps[:] = np.nan
    return fd, columns


def attach(fd: int) -> Columns:
    """The block behind a descriptor, for reading; the descriptor may be closed afterwards. ValueError where it is none."""
    magic, layout, version, targets, ports, window = _HEAD.unpack(os.pread(fd, _HEAD.size, 0))
    if magic != _MAGIC or layout != 1:
        raise ValueError("no block of columns of this version")
    return Columns(fd, Shape(version, targets, ports, window), writable=False)


def _extent(dims: str, shape: Shape) -> tuple[int, ...]:
    return {
        "window": (shape.window,),
        "window*targets": (shape.window, shape.targets),
        "targets": (shape.targets,),
        "targets+1": (shape.targets + 1,),
        "ports": (shape.ports,),
        "ports*9": (shape.ports, 9),
    }[dims]


def _size(shape: Shape) -> int:
    return 64 + sum(
        -(-int(np.prod(_extent(dims, shape))) * np.dtype(code).itemsize // 64) * 64 for _, code, dims in _FIELDS
    )
