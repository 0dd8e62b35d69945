"""A frozen CLIP seen through prompts that are being learned: text features once a step, logits of any pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from capt_engine.model.clip import Backbone
from capt_engine.model.numerics import computing, into_half, out_of_half
from capt_engine.model.prompts import Prompts, PromptTokens
from capt_engine.model.text import encode_tokens, longest
from capt_engine.model.vision import encode_pixels
from capt_engine.tuning.loop import Answers

# Above this many classes, text is encoded in pieces whose activations are computed again in the backward pass instead of being kept.
TEXT_CHUNK = 128


class PromptedClip:
    """A frozen CLIP over one class list, as a function of pictures and learned tokens.

    ids: token ids (k, context) of the classes' sentences, with room for the prompts. precision: of the
    image tower, one of PRECISIONS.
    """

    def __init__(self, backbone: Backbone, ids: Tensor, precision: str = "fp32") -> None:
        self.backbone = backbone
        self._precision = precision
        # Every piece is cut at its own longest sentence: with like lengths side by side, least is computed for padding.
        self._by_length = ids.argmax(dim=-1).argsort(stable=True)
        self._back = self._by_length.argsort()
        chunks = [ids] if len(ids) <= TEXT_CHUNK else torch.split(ids[self._by_length], TEXT_CHUNK)
        # Counted once: a step would wait for it.
        self._chunks = [(chunk, longest(chunk)) for chunk in chunks]
        self._scale = backbone.scale

    def text(self, tokens: PromptTokens) -> Tensor:
        """Encode the classes' sentences with learned tokens in them.

        Args:
            tokens: learned tokens; those for each layer of the text tower, (n, d_t) each, are used.

        Returns:
            Unit text features (k, d), differentiable in the tokens.
        """
        if len(self._chunks) == 1:
            return self._encoded(*self._chunks[0], tokens.text, keep=True)
        keep = not torch.is_grad_enabled()
        return torch.cat([self._encoded(*chunk, tokens.text, keep=keep) for chunk in self._chunks])[self._back]

    def logits(self, images: Tensor, tokens: PromptTokens, text: Tensor) -> tuple[Tensor, Tensor]:
        """Classify pictures with learned tokens in the image tower.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].
            tokens: learned tokens; those for each layer of the image tower, (n, d_v) each, are used.
            text: unit text features (k, d) of the classes, from `text`.

        Returns:
            Logits (n, k) and unit image features (n, d), fp32.
        """
        pixels = into_half(images, self._precision)
        with computing(self._precision, images.device):
            features = encode_pixels(self.backbone, pixels, tokens.vision)
        features = out_of_half(features, self._precision)
        return self._scale * features @ text.T, features

    def _encoded(self, ids: Tensor, length: int, tokens: Sequence[Tensor], *, keep: bool) -> Tensor:
        if keep:
            return F.normalize(encode_tokens(self.backbone, ids, tokens, length=length).float(), dim=-1)

        def encode(*given: Tensor) -> Tensor:
            return F.normalize(encode_tokens(self.backbone, ids, given, length=length).float(), dim=-1)

        result: Tensor = checkpoint(encode, *tokens, use_reentrant=False)
        return result


class PromptLearner:
    """Prompts that are learned, in a CLIP that is frozen."""

    def __init__(self, clip: PromptedClip, prompts: Prompts) -> None:
        self._clip, self.prompts = clip, prompts
        self._tokens = self._constant = PromptTokens()
        self._text = torch.empty(0)
        self._shared: tuple[Tensor, ...] = ()

    def named_parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        """Return the learned parameters of the prompts as pairs of name and parameter."""
        return self.prompts.named_parameters()

    def begin_step(self) -> None:
        """Compute the learned tokens and encode the class texts with them, once for all forward passes of a step."""
        self._tokens, self._constant = self.prompts(), self.prompts().detached()
        self._text = self._clip.text(self._tokens)

    def constant_logits(self, images: Tensor) -> Tensor:
        """Classify pictures with the prompts as constants, for the inner attack; `begin_step` comes first.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].

        Returns:
            Logits (n, k), differentiable in the pixels alone.
        """
        return self._clip.logits(images, self._constant, self._text.detach())[0]

    def answers(self, images: Tensor, attacked: Tensor | None) -> Answers:
        """Classify clean and attacked pictures in one forward pass, cheaper than two; `begin_step` comes first.

        Args:
            images: clean pixels (n, 3, h, w) in [0, 1].
            attacked: attacked pixels of the same shape; None: the clean ones take their place.

        Returns:
            Logits (n, k) and unit image features (n, d) of both, differentiable in the prompts.
        """
        both = images if attacked is None else torch.cat([images, attacked])
        logits, features = self._clip.logits(both, self._tokens, self._text)
        n = len(images)
        return Answers(logits[:n], logits[-n:], features[:n], features[-n:])

    def begin_parts(self) -> None:
        """Put copies in the place of text features and tokens, which collect the gradients of all parts of a step."""
        self._shared = (*self._tokens.vision, self._text)
        *vision, self._text = (one.detach().requires_grad_(one.requires_grad) for one in self._shared)
        self._tokens = replace(self._tokens, vision=tuple(vision))

    def end_parts(self) -> None:
        """Lead the gradients that the parts of a step left, once for all, into the prompts."""
        copies = (*self._tokens.vision, self._text)
        pairs = [(one, copy.grad) for one, copy in zip(self._shared, copies, strict=True) if copy.grad is not None]
        self._shared = ()
        if pairs:
            torch.autograd.backward([one for one, _ in pairs], [gradient for _, gradient in pairs])

    def end_step(self) -> None:
        """Do nothing at the end of a step, as nothing in the model was switched for it."""
