"""A CLIP and a class list as one pure function: pixels in [0, 1] at the model's own input size → logits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.model.checkpoints import sentence_in, wording_of
from capt_engine.model.clip import Backbone
from capt_engine.model.learned_prompts import LearnedPrompts
from capt_engine.model.numerics import computing, into_half, out_of_half, product_of_rows, require_precision
from capt_engine.model.prompts import Prompts, PromptTokens, moved_ids, prompted_ids
from capt_engine.model.text import class_features, encode_in_chunks, tokens_of
from capt_engine.model.vision import encode_pixels
from capt_engine.records import UnknownWord
from capt_engine.records.vocabulary import alike, distinct


@dataclass(frozen=True)
class Output:
    """logits (n, k), fp32; features: unit image embeddings (n, d), fp32."""

    logits: Tensor
    features: Tensor


class Classifier:
    """CLIP over a class list, zero-shot or with learned prompts, as a function of pixels.

    Normalisation is inside, so a budget in [0, 1] means pixels. Prompts are constants from here on; without any it is plain CLIP, bit for
    bit. Calling it gives logits, so that every attack runs on it.

    Args:
        clip: from `load_clip`.
        classes: k class names, in the order of the labels.
        template: a sentence with `{}` for the class name. Imported prompts that bring their own sentence keep that one.
        precision: "fp32"; "bf16" or "fp16" to run the image tower under autocast; or "tf32", on NVIDIA's GPUs. Features and logits
            are fp32 in each.
        prompts: None for plain text; `LearnedPrompts`; or what `LearnedPrompts.load` takes, a name or a path.

    Raises:
        BadRequest: there are no classes, or the template has no place for them.
        BadCheckpoint: the prompts cannot be read, or were made for another model.
        DeviceProblem: the device cannot compute in that precision.
        UnknownName: another precision.

    Example:
        >>> import capt_engine as capt
        >>> clip = capt.load_clip("demo")
        >>> x, y, classes = capt.demo_pictures(clip, domain="night", n=4)
        >>> model = capt.Classifier(clip, classes, "a photo of a {}.", prompts="capt-shapes-night")
        >>> model(x).shape == (4, len(classes))
        True
    """

    def __init__(
        self,
        clip: Backbone,
        classes: Sequence[str],
        template: str,
        *,
        precision: str = "fp32",
        prompts: Prompts | LearnedPrompts | str | os.PathLike[str] | None = None,
    ) -> None:
        if isinstance(classes, str) or not classes:
            raise BadRequest("There is no list of class names.", 'Give at least one, as in ["cat", "dog"].')
        if isinstance(prompts, str | os.PathLike):
            prompts = LearnedPrompts.load(prompts, clip)
        self.learned = prompts if isinstance(prompts, LearnedPrompts) else None
        self._wording = ""
        if isinstance(prompts, LearnedPrompts):
            self._wording = wording_of(prompts.document)
            template, prompts = sentence_in(prompts.document, template), prompts.prompts
        require_precision(precision, clip.mean.device)
        self.backbone = backbone = clip
        self._has_own_tokens = prompts is not None and prompts.shape.n_classes > 0
        # Of tokens of their own even classes of one name are two.
        self.classes = classes = distinct(classes) if self._has_own_tokens else tuple(classes)
        self.template = template
        self.precision = precision
        self._is_plain = prompts is None
        self._tokens = prompts().detached() if prompts is not None else PromptTokens()
        if prompts is not None and self._tokens.text:
            ids = prompted_ids(backbone, classes, template, prompts.shape.n_ctx)
            ids, places = moved_ids(backbone, self.classes, ids, template, prompts.shape)
            self.text = encode_in_chunks(backbone, ids, prompts.text_for(classes, self._tokens, self._read), places)
        else:
            self.text = class_features(backbone, classes, template, self._wording)
        self._scale = backbone.scale
        bias = getattr(backbone.clip, "logit_bias", None)
        self._bias = None if bias is None else bias.float()

    @property
    def id(self) -> str:
        """Return the id of the model, as `load_clip` takes it."""
        return self.backbone.id

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the model's weights, in hexadecimal."""
        return self.backbone.sha256

    @property
    def size(self) -> int:
        """Return the height, which is the width too, of the pictures that the model takes, in pixels."""
        return self.backbone.size

    @property
    def device(self) -> torch.device:
        """Return the device that the weights are on; pictures must be on it too."""
        return self.text.device

    @property
    def vision_tokens(self) -> tuple[Tensor, ...]:
        """Return the learned tokens of the image tower, (length, d_v) for each layer that has some; none without any."""
        return self._tokens.vision

    @property
    def unknown_words(self) -> tuple[UnknownWord, ...]:
        """Return the words of class names and template that the model was never trained on, as far as it says which it knows.

        The probability of such a class means nothing, unless the prompts were tuned on pictures of it (`tuned`).
        """
        known = self.backbone.vocabulary
        tuned = self.learned.document.classes if self.learned is not None else ()
        return () if known is None else known.unknown(self.classes, self.template, tuned)

    @cached_property
    def alike_classes(self) -> tuple[tuple[str, ...], ...]:
        """Return groups of class names that are the same tokens to the model: only the first of a group can ever be its answer.

        There are none where each class has learned tokens of its own.
        """
        return () if self._has_own_tokens else alike(self.classes, self._read(self.classes))

    def _read(self, classes: Sequence[str]) -> list[bytes]:
        return tokens_of(self.backbone, classes, self._wording)

    @cached_property
    def zero_shot(self) -> Classifier:
        """Return a classifier of the same model and classes without learned prompts; itself if it has none."""
        if self._is_plain:
            return self
        return Classifier(self.backbone, self.classes, self.template, precision=self.precision)

    def in_precision(self, precision: str) -> Classifier:
        """Return the same classifier with the image tower in another precision; raises as the constructor does."""
        require_precision(precision, self.device)
        other = copy(self)
        other.precision = precision
        return other

    def forward(self, images: Tensor) -> Output:
        """Classify pictures and return logits and image features; differentiable in the pixels.

        Args:
            images: pixels (n, 3, h, w) in [0, 1], h = w = `size`, on `device`; not normalised.

        Returns:
            Logits (n, k) and unit image features (n, d), fp32.
        """
        pixels = into_half(images, self.precision)
        with computing(self.precision, images.device):
            features = encode_pixels(self.backbone, pixels, self._tokens.vision, self._tokens.frame)
        features = out_of_half(features, self.precision)
        logits = product_of_rows(self._scale * features, self.text.T)
        return Output(logits if self._bias is None else logits + self._bias, features)

    def ood_scores(self, features: Tensor) -> Tensor | None:
        """Compute how unlike the pictures that the model was trained on some pictures are.

        Args:
            features: unit image features (n, d) of the model without learned prompts, as `zero_shot.forward` gives them.

        Returns:
            Scores (n,), above 1 for a picture that is out of distribution; None where the model has no statistics of its training
            pictures.
        """
        known = self.backbone.distribution
        return None if known is None else known.scores(features)

    def __call__(self, images: Tensor) -> Tensor:
        """Answer with the logits alone; differentiable in the pixels.

        Args:
            images: pixels (n, 3, h, w) in [0, 1], as `forward` takes them.

        Returns:
            Logits (n, k), fp32.
        """
        return self.forward(images).logits
