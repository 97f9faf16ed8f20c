"""Other vantage points: processes elsewhere that ping the same targets on the same ticks, and hand their round reports in to the one judge.

`process` runs there, with `link` to the monitor and `backlog` of what is still to be handed in; `part` is what it is given to ask; `words` are the values on the
wire and their checks; `desk` hears them here, `merging` decides what the judge is told, and when.
"""
