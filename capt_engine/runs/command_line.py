"""A request from the values of options, and a request as the command that asks the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

from capt_engine.data.class_files import as_typed, typed_names
from capt_engine.errors import BadRequest
from capt_engine.folders import chosen_model
from capt_engine.formatting import typed_budget
from capt_engine.records import (
    NO_PROMPTS,
    SUITES,
    AnalyzeRequest,
    AttackSpec,
    EvaluateRequest,
    ParamValue,
    RunRequest,
    TuneRequest,
    until_chance,
)
from capt_engine.runs.option_values import budget, class_folders, listed, setting
from capt_engine.runs.options_table import ANALYZE, EVALUATE, TUNE, Option

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", AnalyzeRequest, EvaluateRequest)
D = TypeVar("D", bound="DataclassInstance")
Values = tuple[tuple[str, ParamValue], ...]

UNSAYABLE = "capt run manifest.json"
"""The command of a run that options cannot say."""

_DEFAULT_EPS = {"linf": 4 / 255, "l2": 1.0}
# Settings of attacks that have options of their own, in the order in which those are read.
_NAMED = ("steps", "step_size", "restarts", "queries", "stop_early")


def analysis_of(given: Mapping[str, object]) -> AnalyzeRequest:
    """Make the request of `capt analyze` from parsed options.

    given: option name, as in argparse's namespace, → what was typed; None or absent where nothing was. Raises
    BadRequest for values that cannot be read, and for several budgets.
    """
    request = _kept(filled(AnalyzeRequest(()), ANALYZE, given), given)
    eps = _budgets(given, request)
    if len(eps) > 1:
        raise BadRequest("Several budgets were given; analyze takes one.", "capt evaluate draws the curve.")
    return replace(
        _with(request, "options.threat.eps", eps[0]), attack=_attack(given, _text(given, "attack") or "pgd", request)
    )


def evaluation_of(given: Mapping[str, object]) -> EvaluateRequest:
    """Make the request of `capt evaluate` from parsed options.

    given: option name, as in argparse's namespace, → what was typed; None or absent where nothing was. Raises
    BadRequest for values that cannot be read, and for options that contradict each other.
    """
    resumed, curve = given.get("resume"), bool(given.get("curve"))
    if resumed and given.get("out"):
        raise BadRequest("--resume names the run's folder already.", "Leave --out away.")
    request = _kept(filled(EvaluateRequest(""), EVALUATE, given), given)
    names = _texts(given, "attack") or ([] if request.suite else ["pgd"])
    several = bool(request.suite) or len(names) > 1
    specs = [AttackSpec(name) if several and name != "none" else _attack(given, name, request) for name in names]
    attacks = tuple(spec for spec in specs if spec is not None)
    if (attacks or request.suite) and len(attacks) < len(specs):
        raise BadRequest("--attack none stands beside other attacks.", "Name either attacks or none.")
    eps = _budgets(given, request)
    if curve and len(eps) > 1:
        raise BadRequest("--curve auto starts from one budget.", "Give --eps one, or leave --curve away.")
    if curve and not eps[0]:
        raise BadRequest("--curve auto cannot start from ε = 0.", "Give --eps a budget, as in 4/255.")
    together = _matrix(given)
    if together:
        request = _with(request, "options.prompts", None if together[0] == NO_PROMPTS else together[0])
    request = _with(request, "options.threat.eps", max(eps))
    request = _with(request, "options.resume", resumed is not None)
    return replace(
        request,
        attacks=attacks,
        shared_values=_settings(given, request) if several else (),
        skip_broken=bool(given.get("skip_broken"))
        or curve
        or (_is_worst_case(request.suite) and not given.get("all_pictures")),
        until_chance=curve,
        matrix=together,
        curve=until_chance(eps[0], request.options.threat.norm) if curve else eps if len(eps) > 1 else (),
    )


def tuning_of(given: Mapping[str, object]) -> TuneRequest:
    """Make the request of `capt tune` from parsed options; the settings of --preset are not put in.

    given: option name, as in argparse's namespace, → what was typed; None or absent where nothing was. Raises
    BadRequest for values that cannot be read.
    """
    return filled(TuneRequest("", ""), TUNE, given)


def command_of(request: RunRequest | TuneRequest) -> str:
    """Return the shell command line that asks for the same as `request`.

    Where the options cannot say all of it, that is "capt run manifest.json". A tuning's prompts go to a file of the
    same name in the folder where the command is run. The folder that a run is kept in, and whether it was resumed, are
    left out, as they change no result.
    """
    if isinstance(request, TuneRequest):
        request = replace(request, out=PurePath(request.out).name)
        return shlex.join(["capt", "tune", *printed(request, TuneRequest("", ""), TUNE)])
    apart = _said_apart(request)
    if apart is None:
        return UNSAYABLE
    if isinstance(request, EvaluateRequest):
        words = printed(request, EvaluateRequest(""), EVALUATE, apart)
    else:
        words = printed(request, AnalyzeRequest(()), ANALYZE, apart)
    return shlex.join(["capt", request.kind, *words])


def filled(record: D, table: Sequence[Option], given: Mapping[str, object]) -> D:
    """Return a copy of `record` with the values of all options in `table` that set a single field of it.

    given: option name, as in argparse's namespace, → what was typed; an absent one keeps the record's value, but an
    absent --model becomes the model that was chosen last. Raises BadRequest for a value that cannot be read.
    """
    for option in table:
        value = given.get(option.name)
        if option.flag == "--model":
            value = value or chosen_model()
        if option.field and value is not None:
            record = _with(record, option.field, option.kind.read(value))
    return record


def _kept(request: R, given: Mapping[str, object]) -> R:
    """The request of a run with the folder that it is to be kept in, and with the folders of a map of class names."""
    request = _with(request, "options.class_folders", class_folders(_text(given, "classes")))
    return _with(request, "options.keep", str(given.get("resume") or given.get("out") or ""))


def _with(record: D, path: str, value: object) -> D:
    """The record with another value in a field, or in a field of a field."""
    name, _, rest = path.partition(".")
    changed = _with(getattr(record, name), rest, value) if rest else value
    return replace(record, **{name: changed})


def _value(record: object, path: str) -> object:
    for name in path.split("."):
        record = getattr(record, name)
    return record


def printed(
    request: object, usual: object, table: Sequence[Option], apart: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Iterator[str]:
    """Yield the command line arguments that make `request` again, leaving out values that equal those of `usual`.

    request, usual: records of the same type, usual having the defaults. table: the command's options. apart: flag →
    values as text for the options that are no single field of the record; "" prints the flag alone.
    """
    for option in table:
        if option.flag in apart or not option.field:
            for text in apart.get(option.flag, ()):
                yield from _spelled(option.flag, text) if text else (option.flag,)
            continue
        value = _value(request, option.field)
        if not option.flag.startswith("--"):
            for place in value if isinstance(value, tuple) else (value,):
                yield f"./{place}" if place.startswith("-") else place
        elif not option.hidden and (option.always or value != _value(usual, option.field)):
            yield from (option.flag,) if option.kind.show is None else _spelled(option.flag, option.kind.show(value))


def _spelled(flag: str, text: str) -> tuple[str, ...]:
    return (f"{flag}={text}",) if text.startswith("-") else (flag, text)


def _said_apart(request: RunRequest) -> dict[str, list[str]] | None:
    """The values of options that are no single field of the request; None where they cannot say it."""
    threat, names = request.options.threat, request.options.classes
    if threat.target_column and not isinstance(request, EvaluateRequest):
        return None
    if not request.places or typed_names(as_typed(names)) != names or any(len(name.splitlines()) > 1 for name in names):
        return None
    if request.options.class_folders:
        return None
    attacks = _attacks_apart(request)
    if attacks is None:
        return None
    apart = {**attacks, "--eps": [",".join(typed_budget(eps) for eps in request.curve or (threat.eps,))]}
    if request.matrix:
        first = None if request.matrix[0] == NO_PROMPTS else request.matrix[0]
        same = (
            len(set(request.matrix)) == len(request.matrix) > 1 and listed(",".join(request.matrix)) == request.matrix
        )
        if not same or request.options.prompts != first or request.options.compare is not None:
            return None
        apart |= {"--matrix": [",".join(request.matrix)], "--prompts": []}
    if request.until_chance:
        if request.curve != until_chance(threat.eps, threat.norm):
            return None
        return apart | {"--curve": ["auto"], "--eps": [typed_budget(threat.eps)]}
    return None if request.curve and (len(request.curve) < 2 or max(request.curve) != threat.eps) else apart


def _attacks_apart(request: RunRequest) -> dict[str, list[str]] | None:
    """The options that name attacks and their settings, and say which pictures they see; None where they cannot."""
    if not isinstance(request, EvaluateRequest):
        values = request.all_attacks[0].values if request.all_attacks else ()
        return _settings_apart(values, request, {"--attack": [spec.name for spec in request.all_attacks] or ["none"]})
    several = bool(request.suite) or len(request.attacks) > 1
    if (several and any(spec.values for spec in request.attacks)) or (not several and request.shared_values):
        return None
    apart: dict[str, list[str]] = {"--attack": [spec.name for spec in request.attacks] or ["none"]}
    if request.suite and not request.attacks:
        apart = {}
    if request.until_chance:
        if not request.skip_broken:
            return None
    elif _is_worst_case(request.suite):
        apart |= {} if request.skip_broken else {"--all-pictures": [""]}
    elif request.skip_broken:
        apart["--skip-broken"] = [""]
    values = request.shared_values if several else next((spec.values for spec in request.attacks), ())
    return _settings_apart(values, request, apart)


def _settings_apart(values: Values, request: RunRequest, apart: dict[str, list[str]]) -> dict[str, list[str]] | None:
    """With an attack's settings: by their own options as far as they stand in those options' order, then by --set."""
    order, rest = 0, False
    for name, value in values:
        known = _NAMED.index(name) if name in _NAMED else len(_NAMED)
        rest = rest or known < order or known == len(_NAMED) or not _has_option(name, value, request)
        order = known + 1
        if not rest:
            flag = f"--{name.replace('_', '-')}"
            apart[flag] = ["" if value is True else typed_budget(value) if isinstance(value, float) else repr(value)]
            continue
        text = f"{name}={value if isinstance(value, str) else repr(value)}"
        try:
            again = setting(text)
        except BadRequest:
            return None
        if again != (name, value) or type(again[1]) is not type(value):
            return None
        apart.setdefault("--set", []).append(text)
    return apart


def _has_option(name: str, value: ParamValue, request: RunRequest) -> bool:
    if name == "stop_early":
        return value is True
    if name == "step_size":
        return type(value) is float and 0 <= value <= (float("inf") if request.options.threat.norm == "l2" else 1)
    return type(value) is int


def _text(given: Mapping[str, object], name: str) -> str:
    """The text that was typed for an option; "" where nothing was."""
    return str(given.get(name) or "")


def _texts(given: Mapping[str, object], name: str) -> list[str]:
    """The texts of an option that may stand several times; empty where it did not."""
    value = given.get(name)
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _is_worst_case(name: str) -> bool:
    """True for the name of a suite of attacks, of which the worst counts."""
    return any(one.name == name and one.adversarial for one in SUITES)


def _attack(given: Mapping[str, object], name: str, request: RunRequest) -> AttackSpec | None:
    return None if name == "none" else AttackSpec(name, _settings(given, request))


def _settings(given: Mapping[str, object], request: RunRequest) -> Values:
    """The attack's settings that were given; raises BadRequest."""
    values: list[tuple[str, ParamValue]] = []
    for name in _NAMED:
        value = given.get(name)
        if name == "step_size" and value is not None:
            value = budget(str(value), norm=request.options.threat.norm, name="--step-size")
        values += [] if value is None else [(name, cast(ParamValue, value))]
    return (*values, *(setting(text) for text in _texts(given, "set")))


def _budgets(given: Mapping[str, object], request: RunRequest) -> tuple[float, ...]:
    """The budgets of --eps, one or several with commas between them; the norm's own where none was given. Raises BadRequest."""
    norm = request.options.threat.norm
    if given.get("eps") is None:
        return (_DEFAULT_EPS[norm],)
    return tuple(budget(part.strip(), norm=norm) for part in str(given["eps"]).split(","))


def _matrix(given: Mapping[str, object]) -> tuple[str, ...]:
    """The prompts of --matrix; raises BadRequest."""
    names = listed(_text(given, "matrix"))
    if names and (given.get("prompts") or given.get("compare")):
        raise BadRequest("--matrix stands beside --prompts or --compare.", "Name all of them in --matrix.")
    if names and (len(names) < 2 or len(set(names)) < len(names)):
        raise BadRequest(
            f"--matrix {_text(given, 'matrix')} does not name several prompts, each once.", "For example mine,none."
        )
    return names
