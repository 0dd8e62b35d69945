"""Law of the options: a request asks the same after it was written as JSON, and after it was printed as a command and typed again."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capt_engine.cli import analyze, evaluate, tune
from capt_engine.reading import decode
from capt_engine.records import (
    AIMS,
    CHECK_LEVELS,
    LPIPS_NETS,
    PERTURBED,
    PRECISIONS,
    ROUNDINGS,
    SUITES,
    AnalyzeRequest,
    AttackSpec,
    EvaluateRequest,
    RunOptions,
    ThreatModel,
    TuneRequest,
    until_chance,
)
from capt_engine.runs.command_line import UNSAYABLE, analysis_of, command_of, evaluation_of, tuning_of
from capt_engine.runs.manifest_records import Manifest
from capt_engine.runs.options_table import (
    ALPHAS,
    ANALYZE,
    COUPLINGS,
    EVALUATE,
    KL_DIRECTIONS,
    METHODS,
    TUNE,
)
from capt_engine.runs.request_text import from_json

# What a shell, argparse, a spreadsheet or a list with commas could take apart.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NAMED = TEXT.filter(bool)
CLASS = NAMED.filter(lambda name: name == name.strip() and "," not in name and len(name.splitlines()) == 1)
LEARNED = CLASS.filter(lambda name: name != "none")
PLACE = NAMED.filter(lambda name: not name.startswith("-"))
UNIT = st.floats(0, 1) | st.integers(0, 255).map(lambda k: k / 255)
SEED = st.integers(-(2**40), 2**40)
VALUE = st.booleans() | st.integers(-1000, 10**12) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.lists(
    st.tuples(st.just("steps") | st.just("restarts") | st.just("queries"), st.integers(-9, 10**6))
    | st.tuples(st.just("step_size"), UNIT)
    | st.tuples(st.just("stop_early"), st.booleans())
    | st.tuples(st.text("abcdefgh_", min_size=1), VALUE),
    max_size=4,
).map(tuple)
ATTACK = NAMED.filter(lambda name: name != "none")


@st.composite
def options(draw: st.DrawFn, l2: bool) -> RunOptions:
    """Options of a run that can be typed."""
    threat = ThreatModel(
        "l2" if l2 else "linf",
        draw(UNIT),
        draw(st.none() | TEXT),
        perturb=draw(st.sampled_from(PERTURBED)),
        rounding=draw(st.sampled_from(ROUNDINGS)),
    )
    return draw(
        st.builds(
            RunOptions,
            model=NAMED,
            prompts=st.none() | LEARNED,
            compare=st.none() | TEXT,
            aim=st.sampled_from(AIMS),
            source_model=TEXT,
            classes=st.lists(CLASS, max_size=3).map(tuple),
            template=TEXT,
            threat=st.just(threat),
            seed=SEED,
            device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
            precision=st.sampled_from(PRECISIONS),
            deterministic=st.booleans(),
            batch_size=st.integers(),
            lpips=st.sampled_from(["", *LPIPS_NETS]),
        )
    )


@st.composite
def analyses(draw: st.DrawFn) -> AnalyzeRequest:
    """Analyses that can be typed."""
    return AnalyzeRequest(
        tuple(draw(st.lists(PLACE, min_size=1, max_size=3))),
        draw(st.none() | st.builds(AttackSpec, ATTACK, VALUES)),
        options=draw(options(draw(st.booleans()))),
    )


@st.composite
def evaluations(draw: st.DrawFn) -> EvaluateRequest:
    """Evaluations that can be typed: one attack or none, several, or a suite; one budget, several, or a curve until chance."""
    chosen = draw(options(draw(st.booleans())))
    suite = draw(st.just("") | st.sampled_from([one.name for one in SUITES]))
    names = draw(st.lists(ATTACK, max_size=3))
    several = bool(suite) or len(names) > 1
    values = draw(VALUES)
    curve: tuple[float, ...] = draw(st.just(()) | st.lists(UNIT, min_size=2, max_size=4).map(tuple))
    until = draw(st.booleans())
    eps = draw(UNIT.filter(bool)) if until else max(curve) if curve else chosen.threat.eps
    column = draw(st.just("") | CLASS)
    chosen = replace(chosen, threat=replace(chosen.threat, eps=eps, target_column=column))
    matrix: tuple[str, ...] = draw(st.just(()) | st.lists(CLASS, min_size=2, max_size=3, unique=True).map(tuple))
    if matrix:
        chosen = replace(chosen, compare=None, prompts=None if matrix[0] == "none" else matrix[0])
    return EvaluateRequest(
        data=draw(PLACE),
        split=draw(TEXT),
        data_root=draw(TEXT),
        attacks=tuple(AttackSpec(name, () if several else values) for name in names),
        suite=suite,
        shared_values=values if several else (),
        skip_broken=until or draw(st.booleans()),
        curve=until_chance(eps, chosen.threat.norm) if until else curve,
        until_chance=until,
        matrix=matrix,
        minimal_eps=draw(st.floats(0, 1)),
        checks=draw(st.sampled_from(CHECK_LEVELS)),
        limit=draw(st.integers(0, 10**6)),
        shard=(draw(st.integers(0, 99)), draw(st.integers(0, 99))),
        subsample_classes=draw(st.sampled_from(["all", "base", "new"])),
        options=chosen,
    )


TUNINGS = st.builds(
    TuneRequest,
    data=PLACE,
    out=st.just("prompts.safetensors"),
    data_root=TEXT,
    model=NAMED,
    method=st.sampled_from(METHODS) | TEXT,
    shots=st.none() | st.integers(),
    seed=SEED,
    template=TEXT,
    subsample_classes=st.sampled_from(["all", "base", "new"]),
    eps=st.none() | UNIT,
    attack_steps=st.none() | st.integers(),
    attack_step_size=st.none() | UNIT,
    attack_loss=st.none() | st.sampled_from(["ce", "kl"]),
    lambda_=st.none() | st.floats(allow_nan=False),
    alpha=st.none() | st.sampled_from(ALPHAS),
    alpha_const=st.floats(allow_nan=False),
    kl_direction=st.sampled_from(KL_DIRECTIONS),
    detach_clean=st.booleans(),
    reference=TEXT,
    coupling=st.none() | st.sampled_from(COUPLINGS),
    n_ctx=st.none() | st.integers(),
    depth=st.none() | st.integers(),
    epochs=st.none() | st.integers(),
    batch_size=st.none() | st.integers(),
    lr=st.none() | st.floats(allow_nan=False),
    augment=st.sampled_from(["none", "crop-flip"]),
    patience=st.integers(),
    stop_after=st.integers(),
    validate=st.booleans(),
    name=TEXT,
    notes=TEXT,
    licence=TEXT,
    device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
    precision=st.sampled_from(PRECISIONS),
    deterministic=st.booleans(),
)


@dataclass(frozen=True)
class Tuned:
    """The part of a file of tuning that holds a request, as the reader is given it."""

    request: TuneRequest


REQUESTS: dict[str, Any] = {"analyze": analysis_of, "evaluate": evaluation_of, "tune": tuning_of}
PARSERS = {verb: argparse.ArgumentParser() for verb in REQUESTS}
for module in (analyze, evaluate, tune):
    module.configure(PARSERS[module.__name__.rpartition(".")[2]])


def typed(command: str) -> Any:
    """The request of a command line."""
    start, verb, *words = shlex.split(command)
    assert start == "capt"
    return REQUESTS[verb](vars(PARSERS[verb].parse_args(words)))


@settings(max_examples=150)
@given(analyses() | evaluations() | TUNINGS)
def test_a_printed_command_asks_the_same(request: AnalyzeRequest | EvaluateRequest | TuneRequest) -> None:
    """What can be typed is printed, and typed again it is the very request."""
    command = command_of(request)
    assert command != UNSAYABLE
    assert typed(command) == request


@settings(max_examples=150)
@given(analyses() | evaluations() | TUNINGS)
def test_a_request_is_the_same_after_json(request: AnalyzeRequest | EvaluateRequest | TuneRequest) -> None:
    """As a manifest holds it, or the state of a tuning run that can be gone on with, and reads it again."""
    text = json.dumps({"kind": getattr(request, "kind", ""), "request": asdict(request)})
    if isinstance(request, TuneRequest):
        again: object = decode(text, Tuned, called="it").request
    else:
        again = from_json(Manifest.of(json.loads(text)))
    assert again == request
    assert repr(again) == repr(request)


@pytest.mark.parametrize(
    "request_",
    [
        EvaluateRequest("d", attacks=(AttackSpec("pgd", (("steps", 3),)), AttackSpec("square"))),
        EvaluateRequest("d", attacks=(AttackSpec("pgd"),), shared_values=(("steps", 3),)),
        EvaluateRequest("d", curve=(0.1,), options=RunOptions(threat=ThreatModel(eps=0.1))),
        EvaluateRequest("d", curve=(0.0, 0.1), options=RunOptions(threat=ThreatModel(eps=0.05))),
        EvaluateRequest("d", until_chance=True, curve=(0.1, 0.2), skip_broken=True),
        EvaluateRequest("d", until_chance=True, curve=until_chance(4 / 255, "linf")),
        EvaluateRequest("d", matrix=("a", "b"), options=RunOptions(prompts="c")),
        EvaluateRequest("d", matrix=("a", "b"), options=RunOptions(prompts="a", compare="b")),
        AnalyzeRequest(("d",), options=RunOptions(classes=("a", "b"), class_folders=("1", "2"))),
        AnalyzeRequest(("d",), options=RunOptions(classes=(" a",))),
        AnalyzeRequest(("d",), AttackSpec("pgd", (("loss", "yes"),))),
        AnalyzeRequest(("d",), AttackSpec("pgd", (("loss", "1"),))),
        AnalyzeRequest(()),
        AnalyzeRequest(("d",), options=RunOptions(threat=ThreatModel(target_column="target_index"))),
    ],
)
def test_what_options_cannot_say_is_left_to_the_manifest(request_: AnalyzeRequest | EvaluateRequest) -> None:
    """Rather than a command that asks something else."""
    assert command_of(request_) == UNSAYABLE


@pytest.mark.parametrize(
    ("table", "record", "apart"),
    [
        (
            ANALYZE,
            AnalyzeRequest(("d",)),
            {"attack", "with_pictures", "keep", "resume", "knowledge", "budget", "eps", "target_column"}
            | {"class_folders"},
        ),
        (
            EVALUATE,
            EvaluateRequest("d"),
            {"attacks", "shared_values", "skip_broken", "curve", "until_chance", "matrix", "skip", "with_pictures"}
            | {"keep", "resume", "knowledge", "budget", "eps", "class_folders"},
        ),
        (TUNE, TuneRequest("d", "o"), {"strips"}),
    ],
    ids=["analyze", "evaluate", "tune"],
)
def test_every_field_has_its_option(table: tuple[Any, ...], record: Any, apart: set[str]) -> None:
    """A field that is added needs a line in the table, or code of its own."""

    def leaves(values: dict[str, Any]) -> set[str]:
        found = set()
        for name, value in values.items():
            found |= leaves(value) if isinstance(value, dict) and name in ("options", "threat") else {name}
        return found

    assert {one.field.rpartition(".")[2] for one in table if one.field} | apart == leaves(asdict(record))
