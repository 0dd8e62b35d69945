"""From a published file of prompts to prompts of our own and the document that says where they come from and what was assumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import sha256
from capt_engine.model.checkpoints import Checkpoint, Document, MadeFor
from capt_engine.model.clip import Backbone
from capt_engine.model.importers import one_layer
from capt_engine.model.importers.base import ImportOptions, fitted
from capt_engine.model.importers.clip_inside import ClipInside, not_known
from capt_engine.model.importers.families import sniffed
from capt_engine.model.importers.hints import hints
from capt_engine.model.importers.reading import read_published
from capt_engine.model.importers.state_view import StateView
from capt_engine.model.prompts import Prompts

# One of these names stands in every file of prompts that holds the CLIP around them.
_LEARNED = ("prompt_learner.ctx", "image_encoder.VPT")


@dataclass(frozen=True)
class Converted:
    """Prompts for one model, what they say of themselves, and what the file said and what had to be assumed, in sentences."""

    prompts: Prompts
    document: Document
    family: str
    said: tuple[str, ...]
    assumed: tuple[str, ...]


def converted(
    path: Path,
    backbone: Backbone,
    options: ImportOptions,
    *,
    eps: float | None = None,
    any_model: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> Converted:
    """Convert a published file of prompts, such as CoOp's or MaPLe's, for a model; nothing is installed.

    path: the file. options: facts that the user states because the file may not. eps: the budget that the prompts were
    tuned for, in pixel units [0, 1]; None takes what the file's folder says. any_model: convert even if the file holds
    another CLIP than `backbone`. progress: called several times a second while the file is read. Raises BadCheckpoint
    where the file is of no known family or not for this model, BadRequest where the user must state something that the
    file does not say.
    """
    contents, _ = read_published(path, progress=progress).below_one_module(*_LEARNED)
    found = hints(path)
    family = sniffed(contents, path.name, options.family, found.trainer, backbone)
    inside = ClipInside(backbone)
    agreed = inside.agrees(contents.state)
    if agreed is False and not any_model:
        raise BadCheckpoint(
            f"{path.name!r} holds the CLIP it was tuned on, and that is not {backbone.id!r}.",
            "Name the model it was tuned for with --model; with --any-model it is imported all the same.",
        )
    if family.has_position:
        # Of another family a folder's name is no reason to refuse.
        options = replace(options, position=options.position or found.position)
    elif options.position not in ("", "end"):
        raise BadRequest(
            f"The class position {options.position!r} was given; only CoOp and its relatives have one.", "Leave it out."
        )
    view = StateView(contents.state)
    learned = fitted(family.learn(view, options, backbone), backbone)
    if left := inside.left_over(contents.state, view.unread, any_model=any_model) or contents.beside:
        raise not_known(path.name, left, family.label)
    eps = found.eps if eps is None else eps
    said, assumed = [*learned.said, *found.said], list(learned.assumed)
    if options.family:
        said.append(f"They are {family.label}'s, because that was named.")
    elif one_layer.is_open(contents.state, backbone):
        assumed.append(
            f"They are {family.label}'s, as a folder's name says; of one layer MaPLe's and FAP's look the same."
        )
    if agreed is None:
        assumed.append(f"They were tuned on {backbone.id!r}, because that was named; the file does not hold the model.")
    elif agreed:
        said.append("The CLIP in the file is this model.")
    else:
        assumed.append("They were tuned on another CLIP than this one; they were imported because that was asked for.")
    settings: dict[str, object] = {
        "label": f"{family.label} (imported)",
        "imported_from": "".join(c if c.isprintable() else "?" for c in path.name),
        "imported_sha256": sha256(path),
        "said": tuple(said),
        "assumed": tuple(assumed),
        "sentence": learned.sentence,
        "plain": learned.plain or learned.template,
    }
    if learned.wording:
        settings["wording"] = learned.wording
    epoch = contents.values.get("epoch")
    if isinstance(epoch, int):
        settings["epochs"] = epoch
    if eps is not None:
        settings["eps"] = eps
    document = Document(
        method=family.name,
        backbone=MadeFor.of(backbone),
        shape=learned.shape,
        template=learned.template,
        classes=learned.classes,
        settings=settings,
        versions={"torch": torch.__version__.split("+")[0]},
        notes="Imported from a published file. " + " ".join([*said, *assumed]),
    )
    state = {name: value.float() for name, value in learned.state.items()}
    prompts = Checkpoint(document, state).prompts().to(backbone.mean.device)
    return Converted(prompts, document, family.label, tuple(said), tuple(assumed))
