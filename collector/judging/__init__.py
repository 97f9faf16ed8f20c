"""The live judge's surroundings: what it hears, and what becomes of what it says. `Bench` is the whole of it.

Each room stands on the one before it and writes into the same batch; all of them live in one thread:

| room | what is in it |
|---|---|
| `collector/statebook.py` | states of nodes, lines and schools, the outage log |
| `incidents.py` | rows of incidents and notices, who belongs to which, causes, planned off |
| `agents.py` | incidents of silent SNMP agents |
| `windows.py` | maintenance |
| `plans.py` | restoring from the database, following another plan |
| `hearing.py` | reports, words on lines and ways, traps, power: to judge, causes, recording |
| `elsewhere.py` | reports of vantage points |
| `bench.py` | the step in time, the batch, the judge's memory |
"""

from collector.judging.bench import RECORD_S, Bench
from collector.judging.incidents import Recorder

__all__ = ["RECORD_S", "Bench", "Recorder"]
