"""Attention of the image tower whose result for a picture does not depend on how many others there are.

torch's own turns its input round, so that a lone picture is another memory layout than several, and the bias of the projection is added
in another order: on AMD's processors that shows in the last bits, which a sign step of an attack makes a whole pixel step of.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.MultiheadAttention):
    """torch's module with the same weights; computed here where a gradient is wanted, and by torch otherwise."""

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, *rest: Any, **options: Any
    ) -> tuple[Tensor, Tensor | None]:
        """Attend from each token to all others: torch.nn.MultiheadAttention's forward, with its arguments.

        Returns:
            The tokens (n, length, d), and the weights, None unless they are asked for.
        """
        plain = not rest and options.get("need_weights", True) is False and options.get("attn_mask") is None
        if not (plain and query is key is value and torch.is_grad_enabled() and self._is_usual(query)):
            return super().forward(query, key, value, *rest, **options)
        n, length, d = query.shape
        joined = F.linear(query.contiguous(), self.in_proj_weight, self.in_proj_bias)
        q, k, v = joined.view(n, length, 3, self.num_heads, d // self.num_heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, d)
        return F.linear(mixed, self.out_proj.weight, self.out_proj.bias), None

    def _is_usual(self, query: Tensor) -> bool:
        return (
            self.batch_first
            and query.dim() == 3
            and self._qkv_same_embed_dim
            and self.bias_k is None
            and not self.add_zero_attn
            and not (self.training and self.dropout)
        )


def independent_of_batch(visual: nn.Module) -> None:
    """Let the attention of an image tower be computed by `SelfAttention`; its weights and their names stay."""
    for module in visual.modules():
        if type(module) is nn.MultiheadAttention:
            cast("Any", module).__class__ = SelfAttention
