"""Files that are no prompts and no CLIP that can be read: each is called what it is, so that nobody looks for the fault elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from capt_engine.errors import BadCheckpoint
from capt_engine.model.importers.base import State

_OPTIMISER = re.compile(r"(?:^|\.)(?:exp_avg|exp_avg_sq|max_exp_avg_sq|momentum_buffer|square_avg|acc_delta)$")
_FOLDER = (
    "Name the model's open_clip folder (open_clip_config.json beside the weights): its configuration says the rest."
)
_WEIGHTS = "Name the file that holds the weights; it often lies beside this one."


def _some(*parts: str) -> Callable[[State], bool]:
    """Recognise a file where some tensor's name has one of the parts."""
    return lambda state: any(part in name for name in state for part in parts)


def _starts(*prefixes: str) -> Callable[[State], bool]:
    """Recognise a file where some tensor's name begins with one of the prefixes, under whatever module."""
    return lambda state: any(name.startswith(prefixes) or f".{one}" in name for name in state for one in prefixes)


def _is_optimiser(state: State) -> bool:
    return sum(bool(_OPTIMISER.search(name)) for name in state) * 2 > len(state)


# The first that fits is the one: those with more of their own come first.
_KINDS: tuple[tuple[Callable[[State], bool], str, str], ...] = (
    (_is_optimiser, "the state of an optimiser, not weights", _WEIGHTS),
    (
        _some("lora_A", "lora_B", "lora_down", "lora_up"),
        "LoRA's changes to a model, not the model",
        "Merge them into it first.",
    ),
    (
        _some("meta_net."),
        "prompts that a network makes anew for each picture or class (CoCoOp, TCP and their kind)",
        "Such prompts are not supported.",
    ),
    (
        _starts("text_decoder.", "multimodal_decoder."),
        "a CoCa, a CLIP with a decoder that writes captions",
        _FOLDER,
    ),
    (
        lambda state: "logit_bias" in state or "vision_model.head.probe" in state,
        "a SigLIP, whose towers and tokenizer are others than CLIP's",
        _FOLDER,
    ),
    (
        _starts("visual.trunk."),
        "a CLIP whose image tower is one of timm's",
        _FOLDER,
    ),
    (
        _starts("text.transformer.", "text.token_embedding."),
        "a CLIP with a text tower of its own kind (open_clip's CustomTextCLIP), which the weights alone do not describe",
        _FOLDER,
    ),
    (
        _starts("visual_encoder.", "text_encoder.bert.", "Qformer."),
        "a BLIP or ALBEF, not a CLIP",
        "Such models are not supported.",
    ),
    (
        _starts("patch_embed.", "blocks.0.attn."),
        "a vision transformer of timm's form without a text tower",
        "Only CLIPs, and image towers by CLIP's names, are supported.",
    ),
)


def refusal(name: str, state: State, wanted: str, known: str) -> BadCheckpoint:
    """Return the refusal of a file that is not of the wanted kind: it is called what it is, or described by its first tensors.

    name: the file's. state: its tensors by name. wanted: what it should be, as in "kind of model". known: the kinds
    that can be read, for the hint.
    """
    for fits, what, hint in _KINDS:
        if fits(state):
            return BadCheckpoint(f"{name!r} holds {what}.", hint)
    shown = ", ".join(repr(one[:60]) for one in sorted(state)[:5])
    return BadCheckpoint(f"{name!r} is of no known {wanted}; it holds {len(state)} tensors: {shown} …", known)
