"""Registering by file: read, plan (a dry run that names every wrong cell), apply in one transaction, undo as a whole."""

from inventory.imports.apply import RegisterMovedError, apply_plan
from inventory.imports.plan import KINDS, Plan, plan_file, plan_import
from inventory.imports.problems import Problem, render
from inventory.imports.undo import UndoError, undo
from inventory.imports.within import OutsideError

__all__ = [
    "KINDS",
    "OutsideError",
    "Plan",
    "Problem",
    "RegisterMovedError",
    "UndoError",
    "apply_plan",
    "plan_file",
    "plan_import",
    "render",
    "undo",
]
