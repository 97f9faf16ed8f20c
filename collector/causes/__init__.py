"""Why something is out: evidence is gathered from what is known, weighed, and gives a cause with a confidence. Pure: no clock, no I/O.

`scene.py` keeps what was heard, `gather.py` finds evidence in it, `weigh.py` concludes, `casebook.py` follows each incident from its first
silence until its devices have said after it how long they have been running. `inventory/causes.py` has the words.
"""

from collector.causes.casebook import Casebook
from collector.causes.scene import Scene
from collector.causes.values import Evidence, Verdict
from collector.causes.weigh import weigh

__all__ = ["Casebook", "Evidence", "Scene", "Verdict", "weigh"]
