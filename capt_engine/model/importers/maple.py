"""MaPLe (Khattak et al., CVPR 2023) and adversarial MaPLe in its form (xinwong, TAPT's VLJ): every layer is text, mapped to vision."""

from __future__ import annotations

from capt_engine.errors import BadCheckpoint
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import (
    Asked,
    Family,
    Learned,
    State,
    fitted,
    learner,
    needed,
    numbered,
    photo_template,
    refuse_position,
)
from capt_engine.model.importers.sentence import sentence_of
from capt_engine.model.prompts import PromptShape


def _fits(state: State) -> bool:
    own = learner(state)
    # Prompts of one layer have no compound ones; FAP's of one layer are the same thing.
    return "ctx" in own and "proj.weight" in own and not any(name.startswith("compound_prompts_image") for name in own)


def _learn(state: State, asked: Asked, backbone: Backbone) -> Learned:
    refuse_position(asked)
    own = learner(state)
    ctx = needed(own, "ctx")
    deeper = numbered(own, "compound_prompts_text.")
    maps = [(needed(own, "proj.weight"), needed(own, "proj.bias"))]
    for layer in range(len(deeper)):
        name = f"compound_prompt_projections.{layer}"
        maps.append((needed(own, f"{name}.weight"), needed(own, f"{name}.bias")))
    if ctx.dim() != 2:
        raise BadCheckpoint(f"`ctx` has {ctx.dim()} dimensions; MaPLe's has 2.", "It may be of another method.")
    template, classes, said, assumed = sentence_of(own, asked, backbone, *photo_template(len(ctx)), length=len(ctx))
    tensors = {"context": ctx, **{f"deep_text.{i}": value for i, value in enumerate(deeper)}}
    for i, (weight, bias) in enumerate(maps):
        tensors |= {f"to_vision.{i}.weight": weight, f"to_vision.{i}.bias": bias}
    shape = PromptShape("text_to_vision", len(ctx), len(deeper) + 1)
    return fitted(Learned(shape, tensors, template, classes, said, assumed), backbone)


MAPLE = Family("maple", "MaPLe or adversarial MaPLe", _fits, _learn)
