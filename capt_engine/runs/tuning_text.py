"""A tuning request as the command that does the same."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path, PurePath
from typing import Any

from capt_engine.formatting import typed_budget
from capt_engine.model.checkpoints import Document
from capt_engine.records import TuneRequest

# A field's option, where it is not the field's name.
_NAMED = {"lambda_": "--lambda", "n_ctx": "--length", "batch_size": "--batch"}
# Written in another way than by their value.
_APART = ("data", "out", "model", "shots", "seed", "eps", "attack_step_size", "detach_clean", "validate", "resume")


def tune_command(request: TuneRequest) -> str:
    """The command line that makes the same prompts, in a file of the same name in the folder where it is run.

    Model and seed are always said, everything else where it is not what the command takes by itself. Whether the run was gone on with
    after an interruption is not said: it makes no difference.
    """
    data = f"./{request.data}" if request.data.startswith("-") else request.data
    words = ["capt", "tune", data, *_option("--out", PurePath(request.out).name), *_option("--model", request.model)]
    usual = TuneRequest("", "")
    if request.shots != usual.shots:
        words += ["--shots", "all" if request.shots is None else str(request.shots)]
    for name, option in (("eps", "--eps"), ("attack_step_size", "--attack-step-size")):
        value = getattr(request, name)
        words += [] if value is None else [option, typed_budget(value)]
    for field in fields(TuneRequest):
        value = getattr(request, field.name)
        if field.name not in _APART and value != getattr(usual, field.name):
            words += _option(_NAMED.get(field.name, f"--{field.name.replace('_', '-')}"), _text(value))
    words += ["--detach-clean"] if request.detach_clean else []
    words += [] if request.validate else ["--val", "off"]
    return shlex.join([*words, "--seed", str(request.seed)])


def request_of(document: Document, out: str) -> TuneRequest:
    """A request that makes the same prompts, as far as a checkpoint's document tells: not where the pictures lie, nor the notes.

    Every setting is named, so that it does not depend on what a method or a model takes by itself.
    """
    named: dict[str, Any] = {
        name: value
        for name, value in document.settings.items()
        if name in {field.name for field in fields(TuneRequest)}
    }
    shape, figures = document.shape, document.figures
    return TuneRequest(
        **{
            **named,
            "data": str(figures.get("data") or "DATA"),
            "out": Path(out).name,
            "model": document.backbone.id,
            "method": document.method,
            "template": document.template,
            "seed": document.seed or 0,
            "coupling": shape.coupling,
            "n_ctx": shape.n_ctx,
            "depth": shape.depth,
            "licence": document.licence,
            "validate": bool(figures.get("n_val", 1)),
        }
    )


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
