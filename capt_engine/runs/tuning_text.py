"""A tuning request as the command that does the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from capt_engine.model.checkpoints import Document
from capt_engine.reading import what_fits
from capt_engine.records import TuneRequest


def request_of(document: Document, out: str) -> TuneRequest:
    """A request that makes the same prompts, as far as a checkpoint's document tells: not where the pictures lie, nor the notes.

    Every setting is named, so that it does not depend on what a method or a model takes by itself.
    """
    shape, figures = document.shape, document.figures
    places = {"data": str(figures.get("data") or "DATA"), "out": Path(out).name}
    return replace(
        what_fits({**document.settings, **places}, TuneRequest),
        model=document.backbone.id,
        method=document.method,
        template=document.template,
        seed=document.seed or 0,
        coupling=shape.coupling,
        n_ctx=shape.n_ctx,
        depth=shape.depth,
        licence=document.licence,
        validate=bool(figures.get("n_val", 1)),
    )
