"""The rounds process: asks all targets on its own clock loop and reports; it knows no register and judges nothing."""
