"""Small classifiers with and without a fault, whose behaviour under attack is known on paper."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from capt_engine.checks.subset import Subset, logits_of
from capt_engine.progress import no_progress

SIDE = 6
VALUES = 3 * SIDE * SIDE


class Linear(nn.Module):
    """k classes, each a random pattern of signs: class j's logit is the mean of pixel × sign, times `sharp`."""

    def __init__(self, k: int = 4, sharp: float = 60.0, seed: int = 0) -> None:
        super().__init__()
        stream = torch.Generator().manual_seed(seed)
        # As many + as −, so that no class likes bright pictures.
        half = torch.tensor([-1.0, 1.0]).repeat(VALUES // 2)
        signs = torch.stack([half[torch.randperm(VALUES, generator=stream)] for _ in range(k)])
        self.weight = nn.Parameter(signs * sharp / VALUES, requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, k)."""
        return images.flatten(1) @ self.weight.T


class After(nn.Module):
    """A healthy model with something done to its logits, or to its pixels before."""

    def __init__(
        self, inner: nn.Module, logits: Callable[[Tensor], Tensor] | None = None, pixels: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.inner, self.pixels, self.logits = inner, pixels, logits

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, k)."""
        seen = images if self.pixels is None else self.pixels(images)
        found: Tensor = self.inner(seen)
        return found if self.logits is None else self.logits(found)


def pictures(model: Linear, n: int = 24, margin: float = 0.06, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Grey noise with some of the label's pattern in it, (n, 3, side, side), and labels (n,): right, and breakable at a small budget."""
    stream = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % len(model.weight)
    strength = margin * (0.5 + torch.rand((n, 1), generator=stream))
    noise = 0.02 * torch.randn((n, VALUES), generator=stream)
    images = 0.5 + noise + strength * model.weight[labels].sign()
    return images.clamp(0, 1).view(n, 3, SIDE, SIDE), labels


def subset(model: nn.Module, images: Tensor, labels: Tensor) -> Subset:
    """The pictures, and what the model says of them."""
    keys = tuple(f"picture {i}" for i in range(len(images)))
    return Subset("", model, images, labels, keys, 0, logits_of(model, images), no_progress)
