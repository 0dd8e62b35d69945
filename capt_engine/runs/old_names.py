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
    """Rename the fields of a request to analyse or evaluate that an older version of the program wrote.

    plain: the JSON object under "request" in a run's manifest.json, of any version; it is not changed. Returns the same
    values under today's names, the options that both kinds of request share being gathered under "options".
    """
    values = renamed(plain, _REQUEST)
    if "options" in values:
        return values
    options = {one.name: values.pop(one.name) for one in fields(RunOptions) if one.name in values}
    return {**values, "options": _with_threat(options, "threat")}


def summary(plain: Mapping[str, object]) -> dict[str, object]:
    """Return the summary `plain`, a JSON object of any version, with today's names in its "threat_model"."""
    return _with_threat(plain, "threat_model")


def threat(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a threat model or a table row, of any version, with today's name and words for the perturbed pixels.

    plain: the JSON object or the row; the key "space" of before becomes "perturb".
    """
    if "space" not in plain:
        return dict(plain)
    space = plain["space"]
    return renamed({**plain, "space": _PERTURB.get(str(space), space)}, {"space": "perturb"})


def _with_threat(plain: Mapping[str, object], name: str) -> dict[str, object]:
    about = plain.get(name)
    return {**plain, name: threat(about)} if isinstance(about, dict) else dict(plain)
