"""CoOp (Zhou et al., IJCV 2022) and what has its form: APT (CVPR 2024), AdvPT (ECCV 2024), AdvCoOp.

`ctx` (n, d) stands in the first text layer, for all classes or (k, n, d) for each its own; the class name is behind it, before it or in
its middle. Which, the file does not say. IVLP's prompts of the first text layer alone look the same, but keep the rest of "a photo of a".
"""

from __future__ import annotations

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import (
    BARE,
    PHOTO,
    Family,
    ImportOptions,
    Learned,
    State,
    learner,
    needed,
    photo_template,
)
from capt_engine.model.importers.sentence import sentence_of
from capt_engine.model.importers.suffix_texts import names_behind, require_same_names, suffix_texts
from capt_engine.model.prompts import PromptShape

_WORDS = "a photo of a"


def _fits(state: State) -> bool:
    names = {name for name in learner(state) if not name.startswith(("token_", "image_encoder", "text_encoder"))}
    return (
        "ctx" in names
        and not any(name.startswith(("compound_", "proj.", "meta_net.")) for name in names)
        and not any("VPT" in name for name in state)
    )


def _learn(state: State, options: ImportOptions, backbone: Backbone) -> Learned:
    own = learner(state)
    ctx = needed(own, "ctx")
    if ctx.dim() not in (2, 3):
        raise BadCheckpoint(f"`ctx` has {ctx.dim()} dimensions; prompts have 2, or 3 where each class has its own.", "")
    assumed, said = [], []
    if options.template and options.template.strip() not in ("{}", BARE):
        raise BadRequest(
            "CoOp's learned tokens take the place of the whole sentence; there is no template to choose.",
            "Leave --template out.",
        )
    found = suffix_texts(own.get("token_suffix"), backbone)
    rest = " ".join(_WORDS.split()[ctx.shape[-2] :])
    if ctx.dim() == 2 and rest and found and names_behind(found, backbone, rest):
        # Of the words "a photo of a" some are not learned: IVLP's prompts of the text tower alone, in its first layer.
        sentence = sentence_of(own, options, backbone, *photo_template(len(ctx)), length=len(ctx))
        return Learned(PromptShape("text_only", len(ctx), 1), {"context": ctx}, *sentence)
    names = names_behind(found, backbone, "") if found else None
    classes = options.classes or names or ()
    if names:
        said.append(f"The file holds the embeddings of its {len(names)} class names; they were read back.")
        require_same_names(options.classes, names, backbone)
    elif "token_suffix" in own:
        said.append(
            "The words in the file are not this model's: it was tuned on another model, or on the same in other precision."
        )
    n_classes = 0
    if ctx.dim() == 3:
        n_classes = len(ctx)
        if len(classes) != n_classes:
            raise BadRequest(
                f"Each of {n_classes} classes has tokens of its own, and {len(classes) or 'no'} class names are known.",
                "Give them with --classes, in the order of training.",
            )
        said.append(f"Each of {n_classes} classes has tokens of its own: these prompts know no other class.")
    if not options.position:
        assumed.append("The class name stands behind the learned tokens (--class-position end); the file does not say.")
    shape = PromptShape("text_only", ctx.shape[-2], 1, options.position or "end", n_classes)
    return Learned(shape, {"context": ctx}, BARE, classes, tuple(said), tuple(assumed), plain=PHOTO)


COOP = Family("coop", "CoOp, APT, AdvPT or AdvCoOp", _fits, _learn, has_position=True)
