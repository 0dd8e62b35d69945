"""Kept pictures as a report shows them."""

from __future__ import annotations

import numpy as np

from capt_engine.formatting import budget, percent
from capt_engine.records import Picture, SignedPicture
from capt_engine.reports.document import Example
from capt_engine.reports.sections.context import ReportContext
from capt_engine.runs.kept_pictures import Kept
from capt_engine.runs.reader import example_picture

# Hundreds of pictures of a usual model's input; a run from elsewhere may list any number.
_MOST_PIXELS = 8_000_000


def examples(context: ReportContext, role: str) -> list[Example]:
    """Return the pictures kept for a report of the run in `context` in one `role`, in order.

    role: "worst" (the attack lowered the margin most), "best" (least) or "random". Those whose clean file is gone are
    left out, as are those beyond what a report can hold. Raises BadRequest where the list of them leads out of the run's
    folder.
    """
    found, n_pixels = [], 0
    for one in context.run.examples():
        if one.role == role and n_pixels < _MOST_PIXELS and (example := _example(context, one)) is not None:
            found.append(example)
            n_pixels += example.clean.width * example.clean.height
    return found


def _example(context: ReportContext, one: Kept) -> Example | None:
    folder = context.run.folder
    clean = example_picture(folder, one.seen)
    if clean is None:
        return None
    adversarial = example_picture(folder, one.adversarial) if one.adversarial else None
    prompts = context.names.text(one.prompt_id)
    text = f"{context.who(prompts)}. Label {one.label}. Clean: {one.clean_pred} ({percent(one.clean_conf)})."
    if adversarial is not None and one.adv_conf is not None:
        within = f"{one.attack} ({context.own})" if context.own else f"{one.attack}, ε = {budget(one.eps, one.norm)}"
        text += f" {within}: {one.adv_pred} ({percent(one.adv_conf)})"
        text += f", margin {one.margin_shift:+.2f}." if one.margin_shift is not None else "."
    name = context.names.brief(one.path)
    alt = f"{name}: the picture as the model saw it"
    alt += ", what was added, and the attacked picture." if adversarial is not None else "."
    return Example(
        name,
        clean,
        _between(clean, adversarial, 0.0 if context.own or one.norm != "linf" else one.eps),
        adversarial,
        text,
        f"{alt} {text}",
    )


def _between(clean: Picture, adversarial: Picture | None, eps: float) -> SignedPicture | None:
    """The difference of the two 8-bit pictures, in units of `eps` where that bounds each value, else of its largest."""
    if adversarial is None or (clean.width, clean.height) != (adversarial.width, adversarial.height):
        return None
    delta = (np.frombuffer(adversarial.rgb, np.uint8).astype(float) - np.frombuffer(clean.rgb, np.uint8)) / 255
    scale = eps or float(np.abs(delta).max()) or 1.0
    values = np.clip(np.round(delta / scale * 127), -127, 127).astype(np.int8)
    return SignedPicture(clean.width, clean.height, scale, values.tobytes())
