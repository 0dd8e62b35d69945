"""Kept pictures as a report shows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capt_engine.formatting import budget, percent, signed
from capt_engine.records import Picture, SignedPicture
from capt_engine.reports.document import Example
from capt_engine.reports.sections.context import ReportContext
from capt_engine.runs.kept_pictures import KEPT, ROLES, Kept, Role
from capt_engine.runs.reader import example_picture

# Hundreds of pictures of a usual model's input; a run from elsewhere may list any number.
_MOST_PIXELS = 8_000_000


MOST_SHOWN = 3
"""So many pictures stand on the first page."""
_TOOK: dict[Role, str] = {"worst": "Lost most.", "best": "Lost least.", "random": "Drawn by the seed."}


def examples(context: ReportContext) -> dict[Role, list[Example]]:
    """Return the pictures kept for a report of the run in `context`, by the role that each was kept in, in order.

    A role is "worst" (the attack lowered the margin most), "best" (least) or "random". A picture under one set of prompts stands
    once, in the first of its roles. Those whose clean file is gone are left out, as are those beyond what a report can
    hold. Raises BadRequest where the list of them leads out of the run's folder.
    """
    found: dict[Role, list[Example]] = {role: [] for role in ROLES}
    taken: set[tuple[str, str]] = set()
    for role in ROLES:
        n_pixels = 0
        for one in context.run.examples():
            if one.role != role or (one.seen, one.prompt_id) in taken or n_pixels >= _MOST_PIXELS:
                continue
            if (example := _example(context, one)) is not None:
                taken.add((one.seen, one.prompt_id))
                found[role].append(example)
                n_pixels += example.clean.width * example.clean.height
    return found


def some_of_each(context: ReportContext) -> list[Example]:
    """Return up to three different pictures of the run in `context`: the one that lost most, least, and one drawn by the seed.

    Where one of these is not there, another of the kept ones takes its place. Raises as `examples` does.
    """
    kept = context.run.examples()
    found: list[Example] = []
    taken: set[str] = set()
    for _ in range(KEPT):
        for role in ROLES:
            left = (one for one in kept if one.role == role and one.sha256 not in taken)
            for one in left if len(found) < MOST_SHOWN else ():
                if (example := _example(context, one)) is not None:
                    taken.add(one.sha256)
                    said = f"{_TOOK[role]} {example.words}" if context.is_attacked else example.words
                    found.append(replace(example, words=said))
                    break
    return found


def _example(context: ReportContext, one: Kept) -> Example | None:
    folder = context.run.folder
    clean = example_picture(folder, one.seen)
    if clean is None:
        return None
    adversarial = example_picture(folder, one.adversarial) if one.adversarial else None
    prompts = context.names.text(one.prompt_id)
    who = context.who(prompts)
    text = f"{who[:1].upper()}{who[1:]}. Label {one.label}. Clean: {one.clean_pred} ({percent(one.clean_conf)})."
    if adversarial is not None and one.adv_conf is not None:
        within = f"{one.attack} ({context.own})" if context.own else f"{one.attack}, ε = {budget(one.eps, one.norm)}"
        text += f" {within}: {one.adv_pred} ({percent(one.adv_conf)})"
        text += f", margin {signed(one.margin_shift)}." if one.margin_shift is not None else "."
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
