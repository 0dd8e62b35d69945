"""Names in runs that versions before 0.2 kept, and those of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from capt_engine.records import RunOptions

OPTIONS = frozenset(field.name for field in fields(RunOptions))

_REQUEST = {
    "batch": "batch_size",
    "crafted_on": "source_model",
    "half": "subsample_classes",
    "only_left": "skip_broken",
}
_PERTURB = {"model input": "input", "original size": "original"}


def request(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a request: those that both kinds share stand among its options."""
    values = {_REQUEST.get(name, name): value for name, value in plain.items()}
    if "options" in values:
        return values
    options = {name: values.pop(name) for name in OPTIONS & values.keys()}
    if isinstance(options.get("threat"), dict):
        options["threat"] = threat(options["threat"])
    return {**values, "options": options}


def manifest(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest, but for its request."""
    return {"source_model" if name == "crafted_on" else name: value for name, value in plain.items()}


def summary(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A summary."""
    about = plain.get("threat_model")
    return {**plain, "threat_model": threat(about)} if isinstance(about, dict) else dict(plain)


def threat(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A threat model, or a row of a table, which says the same of the perturbed pixels."""
    return {
        "perturb" if name == "space" else name: _PERTURB.get(str(value), value) if name == "space" else value
        for name, value in plain.items()
    }
