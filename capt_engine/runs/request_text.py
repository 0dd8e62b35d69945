"""A request as JSON and back, and as the command that repeats it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from capt_engine.errors import BadRequest
from capt_engine.records import (
    NO_PROMPTS,
    OTHER_MODEL,
    AnalyzeRequest,
    AttackSpec,
    EvaluateRequest,
    RunOptions,
    RunRequest,
    ThreatModel,
)
from capt_engine.runs import old_names

_KINDS: dict[str, type[RunRequest]] = {"analyze": AnalyzeRequest, "evaluate": EvaluateRequest}


def from_json(told: Mapping[str, Any]) -> RunRequest:
    """The request of a manifest; raises BadRequest where it holds none that this version knows."""
    try:
        values = old_names.request({name: _tuples(value) for name, value in told["request"].items()})
        kind = _KINDS[told.get("kind") or ("analyze" if "paths" in values else "evaluate")]
        options = {**values["options"], "threat": ThreatModel(**values["options"]["threat"])}
        unknown = sorted(values.keys() - _names(kind) | options.keys() - old_names.OPTIONS)
        if unknown:
            raise BadRequest(
                f"The manifest asks for {unknown[0]!r}, which this version does not know.", "Use a newer version."
            )
        values["options"] = RunOptions(**{name: _tuples(value) for name, value in options.items()})
        if values.get("attack") is not None:
            values["attack"] = _spec(told["request"]["attack"])
        if "attacks" in values:
            values["attacks"] = tuple(_spec(one) for one in told["request"]["attacks"])
        return kind(**values)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequest("The manifest holds no request that could be repeated.", "Name a run's manifest.json.") from (
            error
        )


def _names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def _spec(told: Mapping[str, Any]) -> AttackSpec:
    return AttackSpec(told["name"], tuple((name, value) for name, value in told["values"]))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


PLAIN = "plain CLIP"


def asked(prompts: str) -> str:
    """Name the prompts or the model that answered, or that an attack was computed on."""
    if prompts.startswith(OTHER_MODEL):
        return f"the model {prompts.removeprefix(OTHER_MODEL)}"
    return PLAIN if prompts == NO_PROMPTS else f"prompts {prompts}"
