"""A tuning request as the command that does the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from capt_engine.model.checkpoints import Document
from capt_engine.reading import what_fits
from capt_engine.records import TuneRequest


def request_of(document: Document, out: str) -> TuneRequest:
    """Return a tuning request that makes the same prompts again, as far as the `document` of their checkpoint tells.

    out: the path of the prompts, of which the file name is kept. Where the pictures lay and the notes are not known.
    Settings that the document holds are all named, so that they do not depend on the defaults of a method or a model.
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
