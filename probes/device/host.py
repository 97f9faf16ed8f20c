"""Computers: HOST-RESOURCES-MIB (RFC 2790) and UCD-SNMP-MIB; printers' supplies: Printer-MIB (RFC 3805)."""

from typing import Any

from probes.device.rows import round_half_up
from probes.device.source import Tables, number_of, text_of
from probes.snmp.ber import Oid
from probes.snmp.oids import format_oid, parse_oid

PROCESSOR_LOAD = parse_oid("1.3.6.1.2.1.25.3.3.1.2")
DEVICE_DESCR = parse_oid("1.3.6.1.2.1.25.3.2.1.3")
STORAGE_ENTRY = parse_oid("1.3.6.1.2.1.25.2.3.1")
TYPE, DESCR, UNIT, SIZE, USED = ((*STORAGE_ENTRY, number) for number in (2, 3, 4, 5, 6))
RAM, VIRTUAL, FIXED_DISK, FLASH = (parse_oid(f"1.3.6.1.2.1.25.2.1.{number}") for number in (2, 3, 4, 9))
MEMORY_NAMES = {
    "memory buffers": "buffers", "cached memory": "cached", "shared memory": "shared", "swap space": "swap",
    "virtual memory": "virtual",
}  # fmt: skip
CPU_IDLE = parse_oid("1.3.6.1.4.1.2021.11.11.0")
UCD_MEMORY = parse_oid("1.3.6.1.4.1.2021.4")
UCD_TOTAL_SWAP, UCD_FREE_SWAP, UCD_TOTAL, UCD_FREE, UCD_BUFFERS, UCD_CACHED, UCD_AVAILABLE = (
    (*UCD_MEMORY, number, 0) for number in (3, 4, 5, 6, 14, 15, 27)
)

SUPPLIES = parse_oid("1.3.6.1.2.1.43.11.1.1")
SUPPLY_TYPES = {
    1: "other", 2: "unknown", 3: "toner", 4: "wasteToner", 5: "ink", 6: "inkCartridge", 7: "inkRibbon", 8: "wasteInk", 9: "opc",
    10: "developer", 11: "fuserOil", 12: "solidWax", 13: "ribbonWax", 14: "wasteWax", 15: "fuser", 16: "coronaWire",
    17: "fuserOilWick", 18: "cleanerUnit", 19: "fuserCleaningPad", 20: "transferUnit", 21: "tonerCartridge", 22: "fuserOiler",
}  # fmt: skip
PERCENT = 19
"""PrtMarkerSuppliesSupplyUnitTC: such a level needs no capacity."""


def read_host_cpu(tables: Tables) -> list[dict[str, Any]]:
    """hrProcessorLoad of each processor; without one, 100 - ssCpuIdle."""
    tables.fetch([PROCESSOR_LOAD], what="host processors")
    found = []
    for index, value in tables.column(PROCESSOR_LOAD).items():
        load = number_of(value)
        if load is not None and 0 <= load <= 100:
            descr = (text_of(tables.column(DEVICE_DESCR).get(index)) or "").strip() or "Processor"
            oid = format_oid((*PROCESSOR_LOAD, *index))
            found.append({"descr": descr, "usage_percent": load, "oid": oid, "raw": str(load)})
    if not found:
        idle = number_of(tables.scalar(CPU_IDLE))
        if idle is not None and 0 <= idle <= 100:
            found.append(
                {"descr": "Processor", "usage_percent": 100 - idle, "oid": format_oid(CPU_IDLE), "raw": str(idle)}
            )
    return found


def read_host_storage(tables: Tables) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(memories, disks) of hrStorageTable.

    Physical memory that the kernel holds as buffers and cache is not "used": both are subtracted where the device names them.
    """
    tables.fetch([TYPE, DESCR, UNIT, SIZE, USED], what="host storage")
    memories: list[dict[str, Any]] = []
    disks: list[dict[str, Any]] = []
    for index in sorted(tables.column(SIZE)):
        item = _storage_at(tables, index)
        if item is None:
            continue
        kind = tables.column(TYPE).get(index)
        sort = kind.data if kind is not None else None
        name = MEMORY_NAMES.get(item["descr"].lower())
        if name or sort in (RAM, VIRTUAL):
            item["class"] = name or ("virtual" if sort == VIRTUAL else "system")
            memories.append(item)
        elif sort in (FIXED_DISK, FLASH):
            disks.append(
                {
                    "descr": item["descr"],
                    "size_bytes": item["total_bytes"],
                    "used_bytes": item["used_bytes"],
                    "percent": int(item["used_bytes"] * 100 / item["total_bytes"]),
                    "oid": item["used_oid"],
                }
            )
    return _without_cache(memories), disks


def _storage_at(tables: Tables, index: Oid) -> dict[str, Any] | None:
    unit, size, used = (number_of(tables.column(column).get(index)) for column in (UNIT, SIZE, USED))
    if not unit or not size or used is None or unit < 0:
        return None
    # RFC 2790 counts in Integer32: sizes beyond 2^31 units come out negative.
    size, used = size % (1 << 32), used % (1 << 32)
    descr = (text_of(tables.column(DESCR).get(index)) or "").strip() or f"Storage {format_oid(index)}"
    return {
        "descr": descr,
        "total_bytes": size * unit,
        "used_bytes": used * unit,
        "used_oid": format_oid((*USED, *index)),
        "used_raw": str(number_of(tables.column(USED)[index])),
    }


def _without_cache(memories: list[dict[str, Any]]) -> list[dict[str, Any]]:
    cache = {item["class"]: item["used_bytes"] for item in memories if item["class"] in ("buffers", "cached")}
    physical = next((item for item in memories if item["descr"].lower() == "physical memory"), None)
    found = []
    for item in memories:
        total, used = item["total_bytes"], item["used_bytes"]
        if item is physical and cache:
            used = max(0, used - sum(cache.values()))
        elif item["class"] in ("buffers", "cached", "shared") and physical:
            total = physical["total_bytes"]
        if used > total:
            continue
        sizes = {"total_bytes": total, "used_bytes": used, "free_bytes": total - used}
        percent = round_half_up(used * 100 / total)
        evidence = {"used_oid": item["used_oid"], "used_raw": item["used_raw"]}
        found.append({"descr": item["descr"], "class": item["class"], "used_percent": percent, **sizes, **evidence})
    return found


def read_ucd_memory(tables: Tables) -> list[dict[str, Any]]:
    """UCD-SNMP-MIB (kB): memTotalReal less memAvailReal, memBuffer and memCached; then swap, buffers, cache and memSysAvail where the device tells them."""
    names = (UCD_TOTAL_SWAP, UCD_FREE_SWAP, UCD_TOTAL, UCD_FREE, UCD_BUFFERS, UCD_CACHED, UCD_AVAILABLE)
    tables.fetch(scalars=names, what="UCD memory")
    total_swap, free_swap, total, free, buffers, cached, available = (number_of(tables.scalar(oid)) for oid in names)
    if not total or free is None:
        return []
    used = max(0, total - free - (buffers or 0) - (cached or 0))
    found = [_ucd_memory("Physical memory", "system", total, used, {"free": (UCD_FREE, free)})]
    if total_swap and free_swap is not None:
        found.append(
            _ucd_memory("Swap space", "swap", total_swap, total_swap - free_swap, {"free": (UCD_FREE_SWAP, free_swap)})
        )
    for descr, sort, oid, part in (
        ("Memory buffers", "buffers", UCD_BUFFERS, buffers),
        ("Cached memory", "cached", UCD_CACHED, cached),
    ):
        if part is not None:
            found.append(_ucd_memory(descr, sort, total, part, {"used": (oid, part)}))
    if available is not None:
        found.append(
            _ucd_memory("Available memory", "available", total, total - available, {"free": (UCD_AVAILABLE, available)})
        )
    return [item for item in found if 0 <= item["used_bytes"] <= item["total_bytes"]]


def _ucd_memory(descr: str, sort: str, total: int, used: int, evidence: dict[str, tuple[Oid, int]]) -> dict[str, Any]:
    """One memory, of kB; `evidence` is what was read at which name."""
    sizes = {"total_bytes": total * 1024, "used_bytes": used * 1024, "free_bytes": (total - used) * 1024}
    said = {f"{key}_oid": format_oid(oid) for key, (oid, _) in evidence.items()}
    said |= {f"{key}_raw": str(raw) for key, (_, raw) in evidence.items()}
    return {"descr": descr, "class": sort, "used_percent": round_half_up(used * 100 / total), **sizes, **said}


def read_printer_supplies(tables: Tables) -> list[dict[str, Any]]:
    """prtMarkerSuppliesTable: descr, type, capacity, percent; -1, -2 and -3 mean that the level is not known in numbers."""
    sort, descr, unit, capacity, level = ((*SUPPLIES, number) for number in (5, 6, 7, 8, 9))
    tables.fetch([level], what="printer supplies")
    if not tables.column(level):
        return []
    tables.fetch([sort, descr, unit, capacity], what="printer supplies")
    found = []
    for index, value in tables.column(level).items():
        now, most = number_of(value), number_of(tables.column(capacity).get(index))
        item: dict[str, Any] = {
            "descr": (text_of(tables.column(descr).get(index)) or "").strip(),
            "type": SUPPLY_TYPES.get(number_of(tables.column(sort).get(index)) or 0, "other"),
            "oid": format_oid((*level, *index)),
            "raw": str(now),
        }
        if most is not None and most > 0:
            item["capacity"] = most
            if now is not None and now >= 0:
                item["percent"] = round_half_up(min(100.0, now * 100 / most))
        elif number_of(tables.column(unit).get(index)) == PERCENT and now is not None and 0 <= now <= 100:
            item["percent"] = now
        found.append(item)
    return found
