"""The stops of the two plain knobs, Strength and Effort, drawn from what the engine says of norm and attack."""

from __future__ import annotations

import math

from capt_engine.formatting import budget
from capt_engine.records import AttackInfo, NormInfo, ParamInfo
from capt_gui.translate import counted

_LINF_STOPS = (0.5, 1, 2, 4, 8, 16)
_FACTORS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4)
_EFFORT_STOPS = (1, 5, 10, 20, 50, 100)


def strength_stops(norm: NormInfo, eps: float) -> list[tuple[str, object]]:
    """Return the stops of the Strength knob as (label, budget with pixels in [0, 1]), in ascending order.

    norm: decides which budgets are offered. eps: the present budget, which gets a stop of its own if it is none of
    them.
    """
    usual = [k / 255 for k in _LINF_STOPS]
    values = usual if norm.name == "linf" else [norm.default_eps * factor for factor in _FACTORS]
    values = [value for value in values if value <= norm.high_eps * (1 + 1e-9)]
    return [(f"ε = {budget(value, norm.name)}", value) for value in _with(values, eps)]


def effort_stops(attack: AttackInfo, steps: int) -> list[tuple[str, object]]:
    """Return the stops of the Effort knob as (label, steps), in ascending order; none for an attack without steps.

    steps: the present number of steps, which gets a stop of its own if it is none of the usual.
    """
    info = steps_param(attack)
    if info is None:
        return []
    low = 1 if info.low is None else info.low
    high = math.inf if info.high is None else info.high
    values = [value for value in _EFFORT_STOPS if low <= value <= high]
    return [(counted(int(value), "{} step", "{} steps"), int(value)) for value in _with(values, steps)]


def steps_param(attack: AttackInfo) -> ParamInfo | None:
    """Return the attack's setting "steps", which the Effort knob turns; None for an attack that has none."""
    return next((param for param in attack.params if param.name == "steps" and param.kind == "int"), None)


def _with(values: list[float] | list[int], own: float) -> list[float]:
    """The values in order, `own` among them exactly as given, so that the knob finds it again."""
    return sorted([value for value in values if not math.isclose(value, own, rel_tol=1e-6)] + [own])
