"""Degraded: rules with hysteresis over what is measured, and the incidents that follow (docs/degraded.md).

`rules` (rows and masks) and `values` (columns to measures) feed `engine` (hysteresis, columnar, pure); `desk` makes incidents of what is
raised; `watch` wires them to the judge's bench; `sensors` reads UPS, optics and sensors more often than the full readings.
"""
