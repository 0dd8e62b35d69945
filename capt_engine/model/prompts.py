"""Deep multi-modal prompts: learned tokens in both towers of a CLIP, coupled by linear maps (CAPT, MaPLe, FAP and their relatives).

The paper leaves length, depth and direction of the coupling open; here they are settings. Sizes are read from the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.text import check_lengths, count_tokens, sentences

COUPLINGS = ("vision_to_text", "text_to_vision", "independent", "text_only", "vision_only")
_STD = 0.02
PLACEHOLDER = "X"


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
class TowerSizes:
    """What prompts must fit: the width of the shared embedding and of each tower, and the layers of the shorter tower."""

    embed_dim: int
    text_width: int
    vision_width: int
    layers: int

    @classmethod
    def of(cls, backbone: Backbone) -> TowerSizes:
        """The sizes of a ViT CLIP; raises BadRequest for another kind of model."""
        clip, visual = backbone.clip, backbone.clip.visual
        if not hasattr(visual, "class_embedding") or not hasattr(clip, "transformer"):
            raise BadRequest(
                "Prompts need a ViT image tower and CLIP's own text tower; this model has others.", "Choose a ViT CLIP."
            )
        return cls(
            embed_dim=int(visual.output_dim),
            text_width=int(clip.token_embedding.weight.shape[1]),
            vision_width=int(visual.class_embedding.shape[0]),
            layers=min(len(visual.transformer.resblocks), len(clip.transformer.resblocks)),
        )


def state_shapes(sizes: TowerSizes, shape: PromptShape) -> dict[str, tuple[int, ...]]:
    """Name and size of every tensor that `Prompts` of this shape learn, without making any."""
    text, vision = (shape.length, sizes.text_width), (shape.length, sizes.vision_width)
    deeper, leads = range(shape.depth - 1), shape.coupling == "vision_to_text"
    learns_vision = shape.coupling in ("independent", "vision_only")
    shapes: dict[str, tuple[int, ...]] = {}
    if shape.has_text:
        shapes["context"] = text
    if shape.has_text and not leads:
        shapes |= {f"deep_text.{layer}": text for layer in deeper}
    if learns_vision:
        shapes["first_vision"] = vision
    if learns_vision or leads:
        shapes |= {f"deep_vision.{layer}": vision for layer in deeper}
    maps = [("to_vision.0", text, vision)] if leads else []
    if leads:
        maps += [(f"to_text.{layer}", vision, text) for layer in deeper]
    elif shape.coupling == "text_to_vision":
        maps += [(f"to_vision.{layer}", text, vision) for layer in range(shape.depth)]
    for name, (_, inputs), (_, outputs) in maps:
        shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    return shapes


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
    return " ".join([PLACEHOLDER] * max(0, length - prefix_tokens) + [template])


def prompted_ids(backbone: Backbone, classes: Sequence[str], template: str, length: int) -> Tensor:
    """Token ids (k, context) of one sentence per class, with room for `length` learned tokens before the class name.

    Raises BadRequest where a name is no name, stands twice, or leaves a sentence too long.
    """
    texts = sentences(classes, sentence_prefix(template, _tokens_before(backbone, template), length))
    check_lengths(backbone, classes, texts)
    return backbone.tokenize(texts).to(backbone.mean.device)


def first_words(backbone: Backbone, template: str, length: int) -> Tensor:
    """The embeddings (length, d_t) of the words at whose places the first learned tokens will stand: where tuning starts (MaPLe, FAP)."""
    text = sentence_prefix(template, _tokens_before(backbone, template), length).replace("{}", PLACEHOLDER)
    ids = backbone.tokenize([text]).to(backbone.mean.device)[0, 1 : 1 + length]
    embedded: Tensor = backbone.clip.token_embedding(ids).detach().float().cpu()
    return embedded


def _tokens_before(backbone: Backbone, template: str) -> int:
    """Tokens that the template has before the class name, without the start token."""
    return count_tokens(backbone, [template.partition("{}")[0].strip()])[0] - 2


class _Undrawn(nn.Linear):
    """A linear map that leaves torch's own stream of random numbers alone; its values come from outside."""

    def reset_parameters(self) -> None:
        """Draw nothing."""


class Prompts(nn.Module):
    """The learned tokens and the linear maps between the towers; calling it gives what is put into each layer.

    Parameters are fp32. `context` (n, d_t) is the first text layer; `deep_text` / `deep_vision` are layers 1 … J−1; the maps follow
    MaPLe's and FAP's naming in `PromptShape`.
    """

    def __init__(self, backbone: Backbone, shape: PromptShape, context: Tensor, generator: torch.Generator) -> None:
        """Draw everything but the first text layer, which starts as `context` (n, d_t); the draws come from a CPU `generator`."""
        super().__init__()
        sizes = TowerSizes.of(backbone)
        if shape.depth > sizes.layers:
            raise BadRequest(
                f"This model has {sizes.layers} layers in its shorter tower.",
                f"Choose a depth of 1 to {sizes.layers}.",
            )
        self._build(sizes, shape, context, generator)

    @classmethod
    def blank(cls, sizes: TowerSizes, shape: PromptShape) -> Prompts:
        """Prompts whose values are all zero, to be filled by `load_state_dict`; draws nothing and needs no model."""
        prompts = cls.__new__(cls)
        nn.Module.__init__(prompts)
        prompts._build(sizes, shape, torch.zeros(shape.length, sizes.text_width), None)
        return prompts

    def _build(self, sizes: TowerSizes, shape: PromptShape, context: Tensor, generator: torch.Generator | None) -> None:
        text_width, vision_width = sizes.text_width, sizes.vision_width
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
        return torch.zeros(shape) if self._draw is None else torch.randn(*shape, generator=self._draw) * _STD

    def _uniform(self, *shape: int) -> Tensor:
        return torch.zeros(shape) if self._draw is None else torch.rand(shape, generator=self._draw) * 2 - 1

    def _tokens(self, count: int, n: int, width: int) -> nn.ParameterList:
        return nn.ParameterList([nn.Parameter(self._normal(n, width)) for _ in range(count)])

    def _maps(self, count: int, inputs: int, outputs: int) -> nn.ModuleList:
        maps = nn.ModuleList()
        for _ in range(count):
            one = _Undrawn(inputs, outputs)
            # What nn.Linear draws by itself (Kaiming uniform: ±1/√inputs), but from our own stream.
            for parameter in (one.weight, one.bias):
                parameter.data.copy_(self._uniform(*parameter.shape) / inputs**0.5)
            maps.append(one)
        return maps
