"""The attention and the tokens of a ViT image tower, watched while it encodes pictures; nothing in the tower is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.wrappers.resizing import resized_for


@dataclass(frozen=True)
class TowerView:
    """One forward pass of a tower with L tokens: the class token, rows × columns patches, and learned tokens at the end.

    Attributes:
        attention: block by block, first one first, (n, heads, L, L); each row sums to 1.
        tokens: what comes out of each block, (n, L, d).
        rows, columns: of patches.
        learned: the number of learned tokens at the end.
        replaced: for each block, True where its learned tokens were put in anew before it.
        mean_pooled: True for a tower whose embedding is the mean of its patches, False for one that takes the class token.
    """

    attention: tuple[Tensor, ...]
    tokens: tuple[Tensor, ...]
    rows: int
    columns: int
    learned: int
    replaced: tuple[bool, ...]
    mean_pooled: bool

    def patches(self, values: Tensor) -> Tensor:
        """Arrange what stands for each token as the patches lie in the picture.

        Args:
            values: (n, L), or (n, L, …).

        Returns:
            (n, rows, columns), or (n, rows, columns, …), without the class token and the learned ones.
        """
        own = values[:, 1 : 1 + self.rows * self.columns]
        return own.reshape(len(own), self.rows, self.columns, *own.shape[2:])


def attention_blocks(classifier: Classifier) -> Sequence[nn.Module]:
    """Return the attention blocks of a classifier's image tower, the first one first.

    A hybrid tower, which puts a convolutional network in the place of the first layer, has those behind it.

    Args:
        classifier: one over a CLIP.

    Returns:
        open_clip's residual attention blocks.

    Raises:
        BadRequest: the tower has none (a ResNet, for one), or is no ViT of CLIP's own kind.
    """
    backbone = getattr(classifier, "backbone", None)
    visual = getattr(getattr(backbone, "clip", None), "visual", None)
    blocks = list(getattr(getattr(visual, "transformer", None), "resblocks", ()))
    if not blocks or not all(isinstance(getattr(block, "attn", None), nn.MultiheadAttention) for block in blocks):
        raise BadRequest(
            "This model's image tower has no attention blocks that could be looked into: it is no ViT of CLIP's own kind.",
            "The input gradient and occlusion work with every model.",
        )
    if getattr(visual, "attn_pool", None) is not None:
        raise BadRequest(
            "This model gathers its patches with an attention of its own, which is not looked into.",
            "The input gradient and occlusion work with every model.",
        )
    return blocks


def watched(classifier: Classifier, images: Tensor) -> TowerView:
    """Encode pictures, and keep the attention and the tokens of every block.

    Args:
        classifier: one over a CLIP with a ViT image tower, with or without learned prompts.
        images: pixels (n, 3, h, w) in [0, 1].

    Returns:
        Attention and tokens, without gradient.

    Raises:
        BadRequest: the image tower has no attention blocks.
    """
    blocks = attention_blocks(classifier)
    visual = classifier.backbone.clip.visual
    attention: list[Tensor] = []
    tokens: list[Tensor] = []
    grid: list[tuple[int, int]] = []
    with _watching(blocks, visual, attention, tokens, grid), torch.inference_mode(False), torch.no_grad():
        classifier.forward(resized_for(classifier, images))
    rows, columns = grid[0]
    learned = classifier.vision_tokens
    return TowerView(
        tuple(attention),
        tuple(tokens),
        rows,
        columns,
        len(learned[0]) if learned else 0,
        tuple(0 < number < len(learned) for number in range(len(blocks))),
        getattr(visual, "pool_type", "tok") == "avg",
    )


@contextmanager
def _watching(
    blocks: Sequence[nn.Module], visual: Any, attention: list[Tensor], tokens: list[Tensor], grid: list[tuple[int, int]]
) -> Iterator[None]:
    """While it lasts, append what each block attends to and gives, and the shape of the map of patches."""
    batch_first = bool(getattr(visual.transformer, "batch_first", True))

    def ask(_module: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, {**kwargs, "need_weights": True, "average_attn_weights": False}

    def keep_attention(_module: nn.Module, _args: Any, output: tuple[Tensor, Tensor]) -> None:
        attention.append(output[1].detach().float())

    def keep_tokens(_module: nn.Module, _args: Any, output: Tensor) -> None:
        tokens.append((output if batch_first else output.transpose(0, 1)).detach().float())

    def keep_grid(_module: nn.Module, _args: Any, output: Tensor) -> None:
        grid.append((output.shape[2], output.shape[3]))

    hooks = [visual.conv1.register_forward_hook(keep_grid)]
    for block in blocks:
        hooks.append(block.attn.register_forward_pre_hook(ask, with_kwargs=True))  # type: ignore[union-attr]
        hooks.append(block.attn.register_forward_hook(keep_attention))  # type: ignore[union-attr]
        hooks.append(block.register_forward_hook(keep_tokens))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
