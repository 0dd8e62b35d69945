"""Deep multi-modal prompts: learned tokens in both towers of a CLIP, coupled by linear maps (CAPT, MaPLe, FAP and their relatives).

The paper leaves length, depth and direction of the coupling open; here they are settings. Sizes are read from the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone

COUPLINGS = ("vision_to_text", "text_to_vision", "independent", "text_only", "vision_only")
_STD = 0.02
_PLACEHOLDER = "X"


@dataclass(frozen=True)
class PromptShape:
    """How many tokens (`length` n ≥ 1) stand in how many layers (`depth` J ≥ 1, counted from the input), and which side leads.

    vision_to_text: layer 0 is text, mapped to vision; deeper layers are vision, mapped to text (FAP; the default).
    text_to_vision: every layer is text, mapped to vision (MaPLe). independent: both sides learned apart (IVLP).
    text_only: no vision tokens (CoOp and APT with depth 1). vision_only: no text tokens (VPT).
    """

    coupling: str = "vision_to_text"
    length: int = 2
    depth: int = 9

    def __post_init__(self) -> None:
        if self.coupling not in COUPLINGS:
            raise BadRequest(f"There is no coupling called {self.coupling!r}.", f"Known: {', '.join(COUPLINGS)}.")
        if self.length < 1 or self.depth < 1:
            raise BadRequest(
                f"Prompts of length {self.length} and depth {self.depth} are none.", "Both must be at least 1."
            )

    @property
    def has_text(self) -> bool:
        """Are there learned tokens in the text tower?"""
        return self.coupling != "vision_only"

    @property
    def has_vision(self) -> bool:
        """Are there learned tokens in the image tower?"""
        return self.coupling != "text_only"


@dataclass(frozen=True)
class PromptTokens:
    """What is put into the towers, layer by layer: text (n, d_t) and vision (n, d_v), each empty or J long."""

    text: tuple[Tensor, ...] = ()
    vision: tuple[Tensor, ...] = ()

    def detached(self) -> PromptTokens:
        """The same values as constants."""
        return PromptTokens(tuple(t.detach() for t in self.text), tuple(v.detach() for v in self.vision))


def sentence_prefix(template: str, prefix_tokens: int, length: int) -> str:
    """The template with enough placeholder words in front that `length` tokens stand before the class name.

    prefix_tokens: how many tokens the template already has there. The learned tokens take the first `length` places.
    """
    return " ".join([_PLACEHOLDER] * max(0, length - prefix_tokens) + [template])


class Prompts(nn.Module):
    """The learned tokens and the linear maps between the towers; calling it gives what is put into each layer.

    Parameters are fp32. `context` (n, d_t) is the first text layer; `deep_text` / `deep_vision` are layers 1 … J−1; the maps follow
    MaPLe's and FAP's naming in `PromptShape`.
    """

    def __init__(self, backbone: Backbone, shape: PromptShape, context: Tensor, generator: torch.Generator) -> None:
        """Draw everything but the first text layer, which starts as `context` (n, d_t); the draws come from a CPU `generator`."""
        super().__init__()
        visual, transformer = _vit(backbone), backbone.clip.transformer
        layers = min(len(visual.transformer.resblocks), len(transformer.resblocks))
        if shape.depth > layers:
            raise BadRequest(
                f"This model has {layers} layers in its shorter tower.", f"Choose a depth of 1 to {layers}."
            )
        text_width, vision_width = int(context.shape[1]), int(visual.class_embedding.shape[0])
        self.shape = shape
        self._draw = generator
        n, deeper = shape.length, shape.depth - 1
        vision_leads = shape.coupling == "vision_to_text"
        self.context = nn.Parameter(context.detach().float().clone()) if shape.has_text else None
        self.deep_text = self._tokens(0 if vision_leads or not shape.has_text else deeper, n, text_width)
        learns_vision = shape.coupling in ("independent", "vision_only")
        self.first_vision = nn.Parameter(self._normal(n, vision_width)) if learns_vision else None
        self.deep_vision = self._tokens(deeper if vision_leads or learns_vision else 0, n, vision_width)
        coupled = shape.coupling in ("vision_to_text", "text_to_vision")
        self.to_vision = self._maps((1 if vision_leads else shape.depth) if coupled else 0, text_width, vision_width)
        self.to_text = self._maps(deeper if vision_leads else 0, vision_width, text_width)

    def forward(self) -> PromptTokens:
        """The tokens of every layer, differentiable in the parameters."""
        coupling = self.shape.coupling
        text = () if self.context is None else (self.context, *self.deep_text)
        if coupling == "vision_to_text":
            vision = (self.to_vision[0](self.context), *self.deep_vision)
            deep = tuple(to_text(v) for to_text, v in zip(self.to_text, self.deep_vision, strict=True))
            return PromptTokens((*text, *deep), vision)
        if coupling == "text_to_vision":
            return PromptTokens(text, tuple(to_vision(t) for to_vision, t in zip(self.to_vision, text, strict=True)))
        vision = () if self.first_vision is None else (self.first_vision, *self.deep_vision)
        return PromptTokens(text, vision)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self._draw) * _STD

    def _tokens(self, count: int, n: int, width: int) -> nn.ParameterList:
        return nn.ParameterList([nn.Parameter(self._normal(n, width)) for _ in range(count)])

    def _maps(self, count: int, inputs: int, outputs: int) -> nn.ModuleList:
        maps = nn.ModuleList()
        for _ in range(count):
            one = nn.Linear(inputs, outputs)
            # What nn.Linear draws by itself (Kaiming uniform: ±1/√inputs), but from our own stream.
            for parameter in (one.weight, one.bias):
                drawn = torch.rand(parameter.shape, generator=self._draw) * 2 - 1
                parameter.data.copy_(drawn / inputs**0.5)
            maps.append(one)
        return maps


def _vit(backbone: Backbone) -> Any:
    visual = backbone.clip.visual
    if not hasattr(visual, "class_embedding") or not hasattr(backbone.clip, "transformer"):
        raise BadRequest(
            "Prompts need a ViT image tower and CLIP's own text tower; this model has others.", "Choose a ViT CLIP."
        )
    return visual
