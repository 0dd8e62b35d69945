"""Names in runs that versions before 0.2 kept, and those of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from capt_engine.reading import renamed
from capt_engine.records import RunOptions

_REQUEST = {
    "batch": "batch_size",
    "crafted_on": "source_model",
    "half": "subsample_classes",
    "only_left": "skip_broken",
}
_PERTURB = {"model input": "input", "original size": "original"}


def request(plain: Mapping[str, object]) -> dict[str, object]:
    """The values of a request: those that both kinds share stand among its options."""
    values = renamed(plain, _REQUEST)
    if "options" in values:
        return values
    options = {one.name: values.pop(one.name) for one in fields(RunOptions) if one.name in values}
    return {**values, "options": _with_threat(options, "threat")}


def summary(plain: Mapping[str, object]) -> dict[str, object]:
    """A summary."""
    return _with_threat(plain, "threat_model")


def threat(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A threat model, or a row of a table, which says the same of the perturbed pixels."""
    if "space" not in plain:
        return dict(plain)
    space = plain["space"]
    return renamed({**plain, "space": _PERTURB.get(str(space), space)}, {"space": "perturb"})


def _with_threat(plain: Mapping[str, object], name: str) -> dict[str, object]:
    about = plain.get(name)
    return {**plain, name: threat(about)} if isinstance(about, dict) else dict(plain)
