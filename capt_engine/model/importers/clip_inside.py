"""The CLIP that many published prompts keep around them: is it the model that was named, and is anything in the file left over?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import State

# fp16, in which most of these files are, keeps 11 bits.
_HALF = 2e-3
# PromptSRC keeps its teacher, a copy of the image tower, in the prompt learner.
_TOWERS = {"image_encoder.": "visual.", "text_encoder.": "", "prompt_learner.ZS_image_encoder.": "visual."}
_SCALE = "logit_scale"
# Embeddings of words, kept beside the learned vectors: of the start, and of all that stands behind.
_WORDS = ("token_prefix", "token_suffix")
_LAYER = re.compile(r"(?<=\.)\d+(?=\.)")
_KNOWN = {
    "expert_prompts": "TAPT's TAME and other mixtures mix their prompts anew for each picture, by a gate; such prompts are not supported.",
    r"\.VPT(_shallow)?$": "Its layers have a gap, or it prompts a tower that its kind leaves alone; such prompts are not supported.",
}


class ClipInside:
    """The comparison of a file's tensors with the CLIP that its prompts are said to be for."""

    def __init__(self, backbone: Backbone) -> None:
        """backbone: the model that was named."""
        self._ours: Mapping[str, Tensor] = backbone.clip.state_dict()

    def agrees(self, state: State) -> bool | None:
        """Compare the CLIP around the prompts with the model, as far as the file's precision tells.

        Args:
            state: the tensors of a file by name.

        Returns:
            False where a tensor, or a layer, is another; True where all are the model's; None where the file holds no
            tower.
        """
        found = False
        for name in state:
            own = self._main(name)
            if own is None:
                continue
            if own not in self._ours:
                if _LAYER.sub("0", own) in self._layerless:
                    return False
            elif not self._equal(state[name], own):
                return False
            else:
                found = found or own != _SCALE
        return True if found else None

    def left_over(self, state: State, unread: tuple[str, ...], *, any_model: bool) -> str:
        """Return the name of a learned tensor that nobody read, one that tells the method if there is; "" for none.

        Args:
            state: the tensors of a file by name.
            unread: the names of those that no family has read.
            any_model: the towers in the file may be those of another CLIP.

        Returns:
            A name from `unread`. Integers, embeddings of words, and copies of the model's own weights are not learned.
        """
        for name in sorted(unread, key=lambda name: not any(re.search(part, name) for part in _KNOWN)):
            value = state[name]
            if not value.is_floating_point() or value.numel() == 0 or name.removeprefix("prompt_learner.") in _WORDS:
                continue
            if any(self._equal(value, own) for own in self._names(name)):
                continue
            main = self._main(name)
            if any_model and main is not None and _LAYER.sub("0", main) in self._layerless:
                continue
            return name
        return ""

    @cached_property
    def _layerless(self) -> set[str]:
        return {_LAYER.sub("0", name) for name in self._ours}

    def _main(self, name: str) -> str | None:
        """The name in a CLIP of a tensor of the towers around the prompts; None for another tensor."""
        if name == _SCALE:
            return name
        return next(
            (ours + name.removeprefix(theirs) for theirs, ours in _TOWERS.items() if name.startswith(theirs)), None
        )

    def _names(self, name: str) -> Iterator[str]:
        """The names in our CLIP that a tensor under some module's name may be a copy of."""
        rest = name
        while True:
            yield from (one for one in (rest, f"visual.{rest}") if one in self._ours)
            _, dot, rest = rest.partition(".")
            if not dot:
                return

    def _equal(self, value: Tensor, own: str) -> bool:
        ours = self._ours[own].float().cpu()
        same = value.shape == ours.shape
        return same and torch.allclose(value.float(), ours, rtol=_HALF, atol=_HALF * float(ours.abs().mean()))


def not_known(file: str, tensor: str, label: str) -> BadCheckpoint:
    """Return the refusal of a file with a learned tensor that the family does not have.

    file: its name. tensor: the name of that tensor. label: the family that the rest of the file belongs to.
    """
    why = next(
        (text for part, text in _KNOWN.items() if re.search(part, tensor)), "It is of a method that is not known here."
    )
    return BadCheckpoint(
        f"{file!r} holds {tensor[:120]!r}, which {label} does not have; without it the logits would be wrong.",
        f"{why} Nothing was imported.",
    )
