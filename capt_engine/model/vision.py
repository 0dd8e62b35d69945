"""The image tower with learned tokens put into it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.model.clip import Backbone
from capt_engine.model.numerics import product_of_rows
from capt_engine.model.text import through_block


def encode_pixels(
    backbone: Backbone, images: Tensor, prompts: Sequence[Tensor] = (), frame: Tensor | None = None
) -> Tensor:
    """Encode pictures with a model's image encoder, with or without learned tokens in it.

    Without any the result is bit for bit that of the plain encoder.

    Args:
        backbone: the model that encodes.
        images: pixels (n, 3, h, w) in [0, 1], h = w = the model's size; not normalised.
        prompts: J tensors (length, d_v). The first is appended behind class token and patches, after the positional
            embedding and before the first norm; in blocks 1 … J−1 the last `length` tokens are replaced. They get no
            positional embedding (MaPLe, Khattak et al., CVPR 2023; FAP, Zhou et al., NeurIPS 2024).
        frame: (3, h, w), added to the normalised pictures (the visual prompts of TeCoA, Mao et al., ICLR 2023); None
            for none.

    Returns:
        Unit image features (n, d), fp32, differentiable in pixels and prompts.
    """
    normalised = (images - backbone.mean) / backbone.std
    if frame is not None:
        normalised = normalised + frame.to(normalised.dtype)
    if not prompts:
        return F.normalize(backbone.clip.encode_image(normalised).float(), dim=-1)
    visual = backbone.clip.visual
    n, length = len(images), prompts[0].shape[0]
    x = visual.conv1(normalised).flatten(2).transpose(1, 2)
    x = torch.cat([visual.class_embedding.expand(n, 1, -1).to(x.dtype), x], dim=1) + visual.positional_embedding.to(
        x.dtype
    )
    x = visual.ln_pre(torch.cat([x, _for_all(prompts[0], x)], dim=1))
    for layer, block in enumerate(visual.transformer.resblocks):
        if 0 < layer < len(prompts):
            x = torch.cat([x[:, :-length], _for_all(prompts[layer], x)], dim=1)
        x = through_block(block, x, visual.transformer.batch_first)
    # Without the learned tokens, so that a tower that averages its tokens averages the picture's own.
    pooled, _ = visual._pool(x[:, :-length])
    features = pooled if visual.proj is None else product_of_rows(pooled, visual.proj)
    return F.normalize(features.float(), dim=-1)


def _for_all(tokens: Tensor, like: Tensor) -> Tensor:
    return tokens.to(like.dtype).expand(len(like), -1, -1)
