"""Deep multi-modal prompts: learned tokens in both towers of a CLIP, coupled by linear maps (CAPT, MaPLe, FAP and their relatives).

The paper leaves length, depth and direction of the coupling open; here they are settings. Sizes are read from the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import msgspec
import torch
from torch import Tensor, nn

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.text import check_lengths, count_tokens, sentences, split_template
from capt_engine.model.vocabulary import spoken
from capt_engine.records.tuning import OLD_NAMES

COUPLINGS = ("vision_to_text", "text_to_vision", "independent", "text_only", "vision_only")
POSITIONS = ("end", "middle", "front")
_STD = 0.02
PLACEHOLDER: Final = "X"

# Of prompts in a file, which may be a stranger's; `PromptShape` itself refuses what is too small.
_Length = Annotated[int, msgspec.Meta(le=1024)]
_Depth = Annotated[int, msgspec.Meta(le=256)]
_Width = Annotated[int, msgspec.Meta(le=65_536)]
_Size = Annotated[int, msgspec.Meta(ge=1, le=65_536)]


@dataclass(frozen=True)
class PromptShape:
    """The number of tokens (`n_ctx` n ≥ 1) in each of `depth` layers (J ≥ 1, counted from the input), and the coupling of the towers.

    vision_to_text: layer 0 is text, mapped to vision; deeper layers are vision, mapped to text (FAP; the default).
    text_to_vision: every layer is text, mapped to vision (MaPLe). independent: both sides learned apart (IVLP).
    text_only: no vision tokens (CoOp and APT with depth 1). vision_only: no text tokens (VPT).

    What only imported prompts have: the class name's position among the learned tokens (CoOp: end, middle, front), tokens of each of
    n_classes classes' own, another n_ctx and depth in the image tower (IVLP), and values that are added to the normalised picture, of
    `frame` pixels a side (TeCoA's visual prompts, with which alone n_ctx may be 0). 0 is: one for all, as in the text tower, and none.
    """

    coupling: str = "vision_to_text"
    n_ctx: _Length = 2
    depth: _Depth = 9
    position: str = "end"
    n_classes: _Width = 0
    vision_n_ctx: _Length = 0
    vision_depth: _Depth = 0
    frame: _Width = 0

    OLD_NAMES: ClassVar[Mapping[str, str]] = OLD_NAMES

    def __post_init__(self) -> None:
        if self.coupling not in COUPLINGS:
            raise BadRequest(f"There is no coupling called {self.coupling!r}.", f"Known: {', '.join(COUPLINGS)}.")
        border_alone = self.coupling == "vision_only" and self.frame > 0 and self.depth == 1
        if self.n_ctx < (0 if border_alone else 1) or self.depth < 1:
            raise BadRequest(
                f"Prompts of length {self.n_ctx} and depth {self.depth} are none.", "Both must be at least 1."
            )
        if self.position not in POSITIONS:
            raise BadRequest(f"There is no class position {self.position!r}.", f"Known: {', '.join(POSITIONS)}.")
        alone = self.coupling == "text_only" and self.depth == 1
        if (self.position != "end" or self.n_classes) and not alone:
            raise BadRequest(
                "Only prompts of the first text layer alone can stand behind a class name or be of each class's own.",
                "Choose the position end and shared prompts.",
            )
        if (self.vision_n_ctx or self.vision_depth) and self.coupling != "independent":
            raise BadRequest(
                "Only independent prompts can differ in length or depth between the towers.", "Leave it out."
            )
        if self.frame and self.coupling != "vision_only":
            raise BadRequest("Only prompts of the image tower alone can have a frame.", "Leave it out.")
        if min(self.n_classes, self.vision_n_ctx, self.vision_depth, self.frame) < 0:
            raise BadRequest("A number of classes, a length or a depth is negative.", "0 stands for the usual.")

    @property
    def in_vision(self) -> tuple[int, int]:
        """Return the context length and the depth (number of layers) of the prompts in the image tower.

        Prompts of the text tower alone have none there; for them the text tower's numbers are given.
        """
        return self.vision_n_ctx or self.n_ctx, self.vision_depth or self.depth

    @property
    def has_text(self) -> bool:
        """Return True if there are learned tokens in the text tower."""
        return self.coupling != "vision_only"


@dataclass(frozen=True)
class TowerSizes:
    """The sizes that prompts must fit: the width of the shared embedding and of each tower, and the layers of the shorter tower."""

    embed_dim: _Size
    text_width: _Size
    vision_width: _Size
    layers: _Size

    @classmethod
    def of(cls, backbone: Backbone) -> TowerSizes:
        """Read the sizes that prompts must fit from a ViT CLIP; raise BadRequest for another kind of model."""
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


@dataclass(frozen=True)
class PromptTokens:
    """Tokens that are put into the towers, layer by layer: text (n, d_t) and vision (n, d_v), each empty or J long.

    Tokens of each class's own are (k, n, d_t). frame: (3, h, w), added to the normalised picture.
    """

    text: tuple[Tensor, ...] = ()
    vision: tuple[Tensor, ...] = ()
    frame: Tensor | None = None

    def detached(self) -> PromptTokens:
        """Return the same tokens as constants, through which no gradient flows."""
        frame = None if self.frame is None else self.frame.detach()
        return PromptTokens(tuple(t.detach() for t in self.text), tuple(v.detach() for v in self.vision), frame)


def sentence_prefix(template: str, prefix_tokens: int, n_ctx: int) -> str:
    """Return a template with placeholder words in front, so that `n_ctx` tokens stand before the class name.

    prefix_tokens: the number of tokens that the template already has there. The learned tokens later take the first
    `n_ctx` places. A template with enough tokens comes back unchanged.
    """
    return " ".join([PLACEHOLDER] * max(0, n_ctx - prefix_tokens) + [template])


def prompted_ids(backbone: Backbone, classes: Sequence[str], template: str, n_ctx: int) -> Tensor:
    """Return the token ids of one sentence per class, with room for the learned tokens before the class name.

    Args:
        backbone: the model whose tokenizer is used.
        classes: k class names, at least two.
        template: the sentence, `{}` being the class name.
        n_ctx: the number of learned tokens.

    Returns:
        Ids (k, context), on the model's device.

    Raises:
        BadRequest: there are fewer than two names, one is empty, listed twice, or makes its sentence too long, or the
            template has no single place for it.
    """
    texts = sentences(classes, sentence_prefix(template, _tokens_before(backbone, template), n_ctx))
    check_lengths(backbone, classes, texts)
    return backbone.tokenize(texts).to(backbone.mean.device)


def initial_context(backbone: Backbone, template: str, n_ctx: int) -> Tensor:
    """Return the embeddings of the words whose places the learned tokens take: where MaPLe and FAP start tuning.

    Args:
        backbone: the model whose embeddings are taken.
        template: the sentence, `{}` being the class name.
        n_ctx: the number of learned tokens.

    Returns:
        Embeddings (n_ctx, d_t), fp32, on the CPU.

    Raises:
        BadRequest: the template has no single place for the class name.
    """
    before, after = split_template(sentence_prefix(template, _tokens_before(backbone, template), n_ctx))
    text = f"{before}{PLACEHOLDER}{after}"
    ids = backbone.tokenize([text]).to(backbone.mean.device)[0, 1 : 1 + n_ctx]
    embedded: Tensor = backbone.clip.token_embedding(ids).detach().float().cpu()
    return embedded


def _tokens_before(backbone: Backbone, template: str) -> int:
    """Tokens that the template has before the class name, without the start token."""
    return count_tokens(backbone, [split_template(template)[0].strip()])[0] - 2


def moved_ids(
    backbone: Backbone, classes: Sequence[str], ids: Tensor, template: str, shape: PromptShape
) -> tuple[Tensor, Tensor | None]:
    """Move the class names in token ids to where the prompts want them: behind, amid or before the learned tokens.

    CoOp (Zhou et al., IJCV 2022) writes every sentence with the name behind the learned tokens, then moves the
    embeddings: "front" puts the name before all of them, "middle" before the second half.

    Args:
        backbone: the model whose tokenizer made the ids.
        classes: k class names.
        ids: token ids (k, context), as `prompted_ids` gives them.
        template: the sentence that they were made of.
        shape: the prompts' shape, with n learned tokens and the position "end", "middle" or "front".

    Returns:
        Token ids (k, context), and the places (k, n) of the learned tokens in them; None for the places 1 … n.

    Raises:
        BadRequest: the template has more tokens before the class name than there are learned ones.
    """
    if shape.position == "end":
        return ids, None
    if _tokens_before(backbone, template) > shape.n_ctx:
        raise BadRequest(
            f"With the class name at the {shape.position} of the learned tokens no other words can stand before it.",
            "Use the template that the prompts were tuned with.",
        )
    n = shape.n_ctx
    leading = n // 2 if shape.position == "middle" else 0
    moved, places = ids.clone(), torch.empty(len(ids), n, dtype=torch.long, device=ids.device)
    for row, name in enumerate(classes):
        n_tokens = count_tokens(backbone, [spoken(name)])[0] - 2
        moved[row, 1 + leading : 1 + leading + n_tokens] = ids[row, 1 + n : 1 + n + n_tokens]
        moved[row, 1 + leading + n_tokens : 1 + n + n_tokens] = ids[row, 1 + leading : 1 + n]
        behind = torch.arange(n - leading, device=ids.device) + 1 + leading + n_tokens
        places[row] = torch.cat([torch.arange(leading, device=ids.device) + 1, behind])
    return moved, places


class _Undrawn(nn.Linear):
    """A linear map that leaves torch's own stream of random numbers alone; its values come from outside."""

    def reset_parameters(self) -> None:
        """Draw nothing."""


class Prompts(nn.Module):
    """The learned tokens and the linear maps between the towers; calling it gives what is put into each layer.

    Parameters are fp32. `context` (n, d_t) is the first text layer; `deep_text` / `deep_vision` are layers 1 … J−1; the maps follow
    MaPLe's and FAP's naming in `PromptShape`. classes: whose tokens the rows of `context` (k, n, d_t) are, where each has its own.
    """

    def __init__(self, backbone: Backbone, shape: PromptShape, context: Tensor, generator: torch.Generator) -> None:
        """Draw everything but the first text layer, which starts as `context`.

        Args:
            backbone: the model that the prompts are for.
            shape: the number of tokens and layers, and the coupling.
            context: the first text layer (n, d_t), copied as fp32.
            generator: the source of all draws, on the CPU.

        Raises:
            BadRequest: the shape has more layers than the shorter tower.
        """
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
        """Make prompts of a shape with all values zero, for `load_state_dict` to fill; draws nothing.

        sizes: those of the model that the prompts are for, which itself is not needed.
        """
        prompts = cls.__new__(cls)
        nn.Module.__init__(prompts)
        own = (shape.n_classes,) if shape.n_classes else ()
        prompts._build(sizes, shape, torch.zeros(*own, shape.n_ctx, sizes.text_width), None)
        return prompts

    def _build(self, sizes: TowerSizes, shape: PromptShape, context: Tensor, generator: torch.Generator | None) -> None:
        text_width, vision_width = sizes.text_width, sizes.vision_width
        self.shape = shape
        self.classes: tuple[str, ...] = ()
        self._draw = generator
        n, deeper = shape.n_ctx, shape.depth - 1
        vision_n_ctx, vision_depth = shape.in_vision
        vision_leads = shape.coupling == "vision_to_text"
        self.context = nn.Parameter(context.detach().float().clone()) if shape.has_text else None
        self.deep_text = self._tokens(0 if vision_leads or not shape.has_text else deeper, n, text_width)
        learns_vision = shape.coupling in ("independent", "vision_only") and vision_n_ctx > 0
        self.first_vision = nn.Parameter(self._normal(vision_n_ctx, vision_width)) if learns_vision else None
        in_vision = vision_depth - 1 if vision_leads or learns_vision else 0
        self.deep_vision = self._tokens(in_vision, vision_n_ctx, vision_width)
        self.frame = nn.Parameter(torch.zeros(3, shape.frame, shape.frame)) if shape.frame else None
        coupled = shape.coupling in ("vision_to_text", "text_to_vision")
        self.to_vision = self._maps((1 if vision_leads else shape.depth) if coupled else 0, text_width, vision_width)
        self.to_text = self._maps(deeper if vision_leads else 0, vision_width, text_width)

    def forward(self) -> PromptTokens:
        """Make the tokens that are put into each layer, from the learned ones and the maps between the towers.

        Returns:
            Text tokens (n, d_t) and image tokens (n, d_v) layer by layer, fp32, differentiable in the parameters.
        """
        coupling = self.shape.coupling
        text = () if self.context is None else (self.context, *self.deep_text)
        if coupling == "vision_to_text":
            vision = (self.to_vision[0](self.context), *self.deep_vision)
            deep = tuple(to_text(v) for to_text, v in zip(self.to_text, self.deep_vision, strict=True))
            return PromptTokens((*text, *deep), vision)
        if coupling == "text_to_vision":
            return PromptTokens(text, tuple(to_vision(t) for to_vision, t in zip(self.to_vision, text, strict=True)))
        vision = () if self.first_vision is None else (self.first_vision, *self.deep_vision)
        return PromptTokens(text, vision, self.frame)

    def text_for(
        self, classes: Sequence[str], tokens: PromptTokens, read: Callable[[Sequence[str]], Sequence[Hashable]]
    ) -> tuple[Tensor, ...]:
        """Pick the text tokens for a list of classes; they differ only where each class has its own tokens.

        Args:
            classes: k class names.
            tokens: what calling the prompts gave.
            read: what the model reads of each of some names: classes are found whatever their spelling. Of equal ones the first is the
                first, as in CLIP's own list for ImageNet, which has two missiles.

        Returns:
            Text tokens layer by layer: as they are where all classes share them, else (k, n, d_t), in the order of
            `classes`.

        Raises:
            BadRequest: a class has no tokens of its own.
        """
        if not self.shape.n_classes:
            return tokens.text
        rows: dict[Hashable, list[int]] = {}
        for row, key in enumerate(read(self.classes)):
            rows.setdefault(key, []).append(row)
        keys = list(read(classes))
        unknown = [name for name, key in zip(classes, keys, strict=True) if key not in rows]
        if unknown:
            raise BadRequest(
                f"These prompts have tokens of each class's own, and none for {unknown[0]!r}.",
                f"They know {', '.join(self.classes[:8])}{' …' if len(self.classes) > 8 else ''}.",
            )
        met: Counter[Hashable] = Counter()
        chosen = []
        for key in keys:
            chosen.append(rows[key][min(met[key], len(rows[key]) - 1)])
            met[key] += 1
        return (tokens.text[0][chosen],)

    def _normal(self, *shape: int) -> Tensor:
        return torch.zeros(shape) if self._draw is None else torch.randn(*shape, generator=self._draw) * _STD

    def _uniform(self, divisor: float, *shape: int) -> Tensor:
        return torch.zeros(shape) if self._draw is None else (torch.rand(shape, generator=self._draw) * 2 - 1) / divisor

    def _tokens(self, count: int, n: int, width: int) -> nn.ParameterList:
        return nn.ParameterList([nn.Parameter(self._normal(n, width)) for _ in range(count)])

    def _maps(self, count: int, inputs: int, outputs: int) -> nn.ModuleList:
        maps = nn.ModuleList()
        for _ in range(count):
            one = _Undrawn(inputs, outputs)
            # What nn.Linear draws by itself (Kaiming uniform: ±1/√inputs), but from our own stream.
            for parameter in (one.weight, one.bias):
                parameter.data.copy_(self._uniform(inputs**0.5, *parameter.shape))
            maps.append(one)
        return maps


def state_shapes(sizes: TowerSizes, shape: PromptShape) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of `Prompts` by name, for a model's sizes and a prompt shape."""
    # Nothing may be computed with such tensors: that would import torch's compiler, which takes seconds.
    with torch.device("meta"):
        prompts = Prompts.blank(sizes, shape)
    return {name: tuple(value.shape) for name, value in prompts.state_dict().items()}
