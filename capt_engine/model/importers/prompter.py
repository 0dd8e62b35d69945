"""TeCoA's visual prompts (Mao et al., ICLR 2023), also FAP's "zsrobust": a border added to the normalised picture, and image tokens.

The border comes in four pieces, `pad_up`, `pad_down` (1, 3, p, w), `pad_left`, `pad_right` (1, 3, h − 2p, p); the tokens (1, n, d_v) are
appended as other methods' are, their own places in the released model being zero.

There may be a border alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import Family, ImportOptions, Learned, State, needed
from capt_engine.model.prompts import PromptShape
from capt_engine.model.vocabulary import WORDINGS

TEMPLATE = "This is a photo of a {}"
_TOKENS, _PLACES = "add_prompter.prompt", "add_prompter.pos_embedding"
_PIECES = ("pad_up", "pad_left", "pad_right", "pad_down")


def _fits(state: State) -> bool:
    return _TOKENS in state or set(_PIECES) <= state.keys()


def _learn(state: State, options: ImportOptions, backbone: Backbone) -> Learned:
    unknown = sorted(state.keys() - {_TOKENS, _PLACES, *_PIECES})
    if unknown:
        raise BadCheckpoint(
            f"The file holds {unknown[0]!r}: visual prompts of a kind that is not supported.",
            "Borders (padding) and plain tokens are; patches and generated tokens are not.",
        )
    first = _tokens(state)
    tensors, size = {"first_vision": first} if len(first) else {}, 0
    if not len(first) or any(name in state for name in _PIECES):
        tensors["frame"] = _frame(state)
        size = tensors["frame"].shape[-1]
        if size != backbone.size:
            raise BadCheckpoint(
                f"The border is of pictures of {size} pixels; {backbone.id!r} sees {backbone.size}.",
                "Name the model they were tuned for with --model.",
            )
    assumed = ["The image tower is the model's own; a tower tuned together with the prompts would be in the same file."]
    if not options.template:
        assumed.append(f"The sentence was {TEMPLATE!r}, as the released script has it.")
    shape = PromptShape("vision_only", len(first), 1, frame=size)
    template = options.template or TEMPLATE
    said = ("Class names are written as its script has them: in lower case, with spaces for - and /.",)
    return Learned(shape, tensors, template, options.classes, said, tuple(assumed), wording=WORDINGS[1])


def _tokens(state: State) -> Tensor:
    """The image tokens (n, d_v), of which there may be none beside a border."""
    tokens = state.get(_TOKENS)
    if tokens is None:
        return torch.empty(0, 0)
    if tokens.dim() != 3 or len(tokens) != 1:
        raise BadCheckpoint(
            f"The image tokens are of the shape {tuple(tokens.shape)}, not (1, n, d).", "Is it damaged?"
        )
    places = state.get(_PLACES)
    if places is not None and places.shape[-2:] != tokens.shape[-2:]:
        raise BadCheckpoint("The image tokens have other places than tokens.", "Is it damaged?")
    return (tokens if places is None else tokens + places)[0]


def _frame(state: State) -> Tensor:
    up, left, right, down = (needed(state, name) for name in _PIECES)
    try:
        middle = torch.zeros(1, 3, left.shape[2], up.shape[3] - left.shape[3] - right.shape[3])
        whole = torch.cat([up, torch.cat([left, middle, right], dim=3), down], dim=2)[0]
    except (RuntimeError, IndexError) as error:
        raise BadCheckpoint("The pieces of the border do not fit together.", "The file is damaged.") from error
    if whole.dim() != 3 or whole.shape[0] != 3 or whole.shape[1] != whole.shape[2]:
        raise BadCheckpoint(
            f"The border is of the shape {tuple(whole.shape)}, which is no square picture.", "It is damaged."
        )
    return whole


PROMPTER = Family("visual-prompt", "TeCoA's visual prompts (FAP's zsrobust)", _fits, _learn)
