"""Prompts learned in each tower apart: IVLP and AdvIVLP, PromptSRC (ICCV 2023), TAPT's VLI; and VPT, AdvVPT, TAPT's V in the image tower.

They are saved with the whole CLIP around them: `image_encoder.VPT` (n, d_v) is the first layer, `…resblocks.L.VPT_shallow` layer L.
"""

from __future__ import annotations

from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import (
    PHOTO,
    Family,
    ImportOptions,
    Learned,
    State,
    learner,
    numbered,
    photo_template,
    shared_context,
    under,
)
from capt_engine.model.importers.sentence import sentence_of
from capt_engine.model.prompts import PromptShape


def _fits_both(state: State) -> bool:
    return "ctx" in learner(state) and any(name.endswith(("VPT", "VPT_shallow")) for name in state)


def _fits_vision(state: State) -> bool:
    return "ctx" not in learner(state) and any(name.endswith(("VPT", "VPT_shallow")) for name in state)


def _tower(state: State, prefix: str) -> list[Tensor]:
    """The prompts of one tower behind its first layer, which begin in block 1."""
    return numbered(under(state, prefix), "transformer.resblocks.", ".VPT_shallow", first=1)


def _learn_both(state: State, options: ImportOptions, backbone: Backbone) -> Learned:
    own = learner(state)
    ctx = shared_context(own)
    sentence = sentence_of(own, options, backbone, *photo_template(len(ctx)), length=len(ctx))
    deep_text = _tower(state, "text_encoder.")
    first = under(state, "image_encoder.").get("VPT")
    tensors = {"context": ctx, **{f"deep_text.{i}": value for i, value in enumerate(deep_text)}}
    if first is None:
        return Learned(PromptShape("text_only", len(ctx), len(deep_text) + 1), tensors, *sentence)
    deep_vision = _tower(state, "image_encoder.")
    tensors |= {"first_vision": first, **{f"deep_vision.{i}": value for i, value in enumerate(deep_vision)}}
    n, depth, n_vision, depth_vision = len(ctx), len(deep_text) + 1, len(first), len(deep_vision) + 1
    shape = PromptShape(
        "independent",
        n,
        depth,
        vision_n_ctx=0 if n_vision == n else n_vision,
        vision_depth=0 if depth_vision == depth else depth_vision,
    )
    return Learned(shape, tensors, *sentence)


def _learn_vision(state: State, options: ImportOptions, _backbone: Backbone) -> Learned:
    first = under(state, "image_encoder.").get("VPT")
    if first is None or first.dim() != 2:
        raise BadCheckpoint(
            "The file lacks the tensor 'image_encoder.VPT'.", "It may be of a version that is not known here."
        )
    deeper = _tower(state, "image_encoder.")
    tensors = {"first_vision": first, **{f"deep_vision.{i}": value for i, value in enumerate(deeper)}}
    assumed = () if options.template else (f"The sentence was {PHOTO!r}, as the released trainer has it.",)
    shape = PromptShape("vision_only", len(first), len(deeper) + 1)
    return Learned(shape, tensors, options.template or PHOTO, options.classes, (), assumed)


IVLP = Family("ivlp", "IVLP, AdvIVLP, PromptSRC or TAPT-VLI", _fits_both, _learn_both)
VPT = Family("vpt", "VPT, AdvVPT or TAPT-V", _fits_vision, _learn_vision)
