"""MaPLe (Khattak et al., CVPR 2023) and adversarial MaPLe in its form (xinwong, TAPT's VLJ): every layer is text, mapped to vision."""

from __future__ import annotations

from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import (
    Family,
    ImportOptions,
    Learned,
    State,
    learner,
    linear_map,
    numbered,
    photo_template,
    shared_context,
)
from capt_engine.model.importers.sentence import sentence_of
from capt_engine.model.prompts import PromptShape


def _fits(state: State) -> bool:
    own = learner(state)
    # Prompts of one layer have no compound ones, and look like FAP's: `families.sniffed` decides.
    return "ctx" in own and "proj.weight" in own and not any(name.startswith("compound_prompts_image") for name in own)


def _learn(state: State, options: ImportOptions, backbone: Backbone) -> Learned:
    own = learner(state)
    ctx, deeper = shared_context(own), numbered(own, "compound_prompts_text.")
    tensors = {"context": ctx, **{f"deep_text.{i}": value for i, value in enumerate(deeper)}}
    tensors |= linear_map(own, "proj", "to_vision.0")
    for i in range(len(deeper)):
        tensors |= linear_map(own, f"compound_prompt_projections.{i}", f"to_vision.{i + 1}")
    shape = PromptShape("text_to_vision", len(ctx), len(deeper) + 1)
    sentence = sentence_of(own, options, backbone, *photo_template(len(ctx)), length=len(ctx))
    return Learned(shape, tensors, *sentence)


MAPLE = Family("maple", "MaPLe or adversarial MaPLe", _fits, _learn)
