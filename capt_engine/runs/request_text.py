"""A request as JSON and back, and as the command that repeats it."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from typing import Any

from capt_engine.errors import BadRequest
from capt_engine.formatting import typed_budget
from capt_engine.records import (
    NO_PROMPTS,
    OTHER_MODEL,
    PERTURBED,
    ROUNDINGS,
    SUITES,
    AnalyzeRequest,
    AttackSpec,
    EvaluateRequest,
    RunOptions,
    RunRequest,
    ThreatModel,
)

_KINDS: dict[str, type[RunRequest]] = {"analyze": AnalyzeRequest, "evaluate": EvaluateRequest}
# Names in manifests of versions before 0.2.
_RENAMED = {
    "batch": "batch_size",
    "crafted_on": "source_model",
    "half": "subsample_classes",
    "only_left": "skip_broken",
}
_SAID = {"steps": "--steps", "step_size": "--step-size", "restarts": "--restarts", "queries": "--queries"}


def from_json(told: Mapping[str, Any]) -> RunRequest:
    """The request of a manifest; raises BadRequest where it holds none that this version knows."""
    try:
        values = dict(told["request"])
        kind = _KINDS[told.get("kind") or ("analyze" if "paths" in values else "evaluate")]
        values = {_RENAMED.get(name, name): _tuples(value) for name, value in values.items()}
        if "options" not in values:  # as versions before 0.2 wrote it
            values["options"] = {name: values.pop(name) for name in _OPTIONS & values.keys()}
        threat = dict(values["options"]["threat"])
        if "space" in threat:
            threat["perturb"] = "original" if threat.pop("space") == "original size" else "input"
        options = {**values["options"], "threat": ThreatModel(**threat)}
        unknown = sorted(values.keys() - _names(kind) | options.keys() - _OPTIONS)
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
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("The manifest holds no request that could be repeated.", "Name a run's manifest.json.") from (
            error
        )


def command(request: RunRequest) -> str:
    """The command line that asks the same; where its options cannot say all of it, the one that takes the manifest."""
    specs = request.attacks if isinstance(request, EvaluateRequest) else request.all_attacks
    listed = (*request.options.classes, *request.matrix)
    if len({spec.values for spec in specs}) > 1 or any("," in name or "\n" in name for name in listed):
        return "capt run manifest.json"
    values = dict(specs[0].values) if specs else {}
    if isinstance(request, EvaluateRequest) and (request.suite or request.shared_values):
        if values:
            return "capt run manifest.json"
        values = dict(request.shared_values)
    words = ["capt", request.kind]
    words += request.places
    together = request.matrix
    words += _option("--model", request.options.model)
    words += [] if together else _option("--prompts", request.options.prompts or NO_PROMPTS)
    if request.options.compare is not None:
        words += ["--compare", request.options.compare or NO_PROMPTS, "--aim", request.options.aim]
    words += _option("--source-model", request.options.source_model)
    words += _option("--classes", ",".join(request.options.classes)) + _option("--template", request.options.template)
    for spec in specs:
        words += ["--attack", spec.name]
    words += _suite(request) if isinstance(request, EvaluateRequest) else []
    words += [] if request.all_attacks else ["--attack", "none"]
    words += ["--norm", request.options.threat.norm, "--eps", ",".join(typed_budget(eps) for eps in _budgets(request))]
    for name, value in values.items():
        words += [_SAID[name], str(value)] if name in _SAID else ["--set", f"{name}={value}"]
    words += _option(
        "--perturb", request.options.threat.perturb if request.options.threat.perturb != PERTURBED[0] else ""
    )
    words += _option(
        "--rounding", request.options.threat.rounding if request.options.threat.rounding != ROUNDINGS[0] else ""
    )
    words += _option("--target", request.options.threat.target)
    if isinstance(request, EvaluateRequest):
        words += _option("--split", request.split) + _option("--data-root", request.data_root)
        words += _option("--limit", str(request.limit) if request.limit else "")
        words += _option("--subsample-classes", request.subsample_classes if request.subsample_classes != "all" else "")
        words += _option("--shard", "/".join(map(str, request.shard)) if request.shard != (1, 1) else "")
    words += _option("--lpips", request.options.lpips)
    words += ["--seed", str(request.options.seed), "--precision", request.options.precision]
    words += _option("--device", request.options.device if request.options.device != "auto" else "")
    return shlex.join(words)


def _budgets(request: RunRequest) -> tuple[float, ...]:
    return (not request.until_chance and request.curve) or (request.options.threat.eps,)


def _suite(request: EvaluateRequest) -> list[str]:
    """What only an evaluation can be asked for, but for the data."""
    words = _option("--suite", request.suite) + _option("--matrix", ",".join(request.matrix))
    words += ["--curve", "auto"] if request.until_chance else []
    words += ["--skip-broken"] if request.skip_broken and not request.suite and not request.until_chance else []
    hunted = any(one.name == request.suite and one.adversarial for one in SUITES)
    words += ["--all-pictures"] if hunted and not request.skip_broken else []
    words += ["--minimal-eps", f"{request.minimal_eps:g}"] if request.minimal_eps else []
    return words + (["--checks", request.checks] if request.checks != "cheap" else [])


def _option(name: str, value: str | None) -> list[str]:
    return (
        [f"{name}={value}" if value.startswith("-") else name, *([] if value.startswith("-") else [value])]
        if (value)
        else []
    )


def _names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


_OPTIONS = _names(RunOptions)


def _spec(told: Mapping[str, Any]) -> AttackSpec:
    return AttackSpec(told["name"], tuple((name, value) for name, value in told["values"]))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


PLAIN = "plain CLIP"


def asked(prompts: str) -> str:
    """Who answered, or whom an attack was computed on, in words."""
    if prompts.startswith(OTHER_MODEL):
        return f"the model {prompts.removeprefix(OTHER_MODEL)}"
    return PLAIN if prompts == NO_PROMPTS else f"prompts {prompts}"
