"""Two models and 500 pictures on which our attacks and those of others are compared, and how the comparison is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import Attack, Norm, PictureRngs, Threat
from capt_engine.demo import world
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.progress import no_progress

COUNT = 500
_BATCH = 100
_TASK = world.TASKS["shapes"]


class AsModule(torch.nn.Module):
    """A classifier as others want it."""

    def __init__(self, model: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.weight = torch.nn.Parameter(torch.zeros(1), requires_grad=False)  # some ask a parameter for the device
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        return self.model(images)


@dataclass(frozen=True)
class Victim:
    """A model and the pictures it is asked about."""

    name: str
    model: torch.nn.Module
    images: Tensor
    labels: Tensor

    def right(self, images: Tensor) -> Tensor:
        """Which of the attacked pictures it still gets right, (n,)."""
        with torch.no_grad():
            answers = torch.cat([self.model(part).argmax(dim=1) for part in images.split(_BATCH)])
        return answers == self.labels

    def under(self, attack: Attack, norm: Norm, eps: float, seed: int = 0) -> Tensor:
        """The pictures as our attack leaves them."""
        parts = []
        for first in range(0, len(self.images), _BATCH):
            images, labels = self.images[first : first + _BATCH], self.labels[first : first + _BATCH]
            rngs = PictureRngs.of(seed, [str(first + i) for i in range(len(images))])
            parts.append(attack.run(self.model, images, labels, Threat(norm, eps), rngs, no_progress))
        return torch.cat(parts)

    def few(self, count: int) -> Victim:
        """The same with fewer pictures."""
        return Victim(self.name, self.model, self.images[:count], self.labels[:count])


@cache
def _pictures() -> tuple[Tensor, Tensor]:
    backbone = load_backbone("demo", torch.device("cpu"))
    from PIL import Image

    pixels, labels = world.pictures("shapes", "test", COUNT)
    return torch.stack([backbone.view(Image.fromarray(one)) for one in pixels]), torch.tensor(labels)


@cache
def demo() -> Victim:
    """The bundled CLIP, zero-shot, on its own 500 test pictures of shapes."""
    classifier = Classifier(load_backbone("demo", torch.device("cpu")), _TASK.classes, _TASK.template)
    return Victim("demo", AsModule(classifier), *_pictures())


@cache
def small_cnn() -> Victim:
    """Three layers, trained from a seed on the 500 pictures at half size: what counts is how attacks compare, not how it generalises."""
    images, labels = _pictures()
    images = F.avg_pool2d(images, 2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 5, stride=2, padding=2),
            torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 5, stride=2, padding=2),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(32 * 8 * 8, len(_TASK.classes)),
        )
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    order = torch.Generator().manual_seed(0)
    for _ in range(25):
        for batch in torch.randperm(len(images), generator=order).split(50):
            # A little noise, so that it does not hang on single pixels and some pictures withstand.
            noisy = images[batch] + 0.05 * torch.randn(images[batch].shape, generator=order)
            optimiser.zero_grad()
            F.cross_entropy(net(noisy), labels[batch]).backward()
            optimiser.step()
    return Victim("small CNN", net.eval().requires_grad_(False), images, labels)


def compared(victim: Victim, what: str, ours: Tensor, theirs: Tensor) -> None:
    """Print both robust accuracies and how many pictures got the same verdict; ours must not be more than a point higher.

    ours, theirs: which pictures are still right, (n,).
    """
    mine, other = ours.float().mean().item(), theirs.float().mean().item()
    same = (ours == theirs).float().mean().item()
    print(  # noqa: T201 - the figures are what such a comparison is run for
        f"{victim.name}, {what}, n = {len(ours)}: robust accuracy {mine:.1%} (ours) and {other:.1%} (theirs), "
        f"same verdict on {same:.1%}; fooled only by ours {int((theirs & ~ours).sum())}, only by theirs {int((ours & ~theirs).sum())}"
    )
    clean = victim.right(victim.images).float().mean().item()
    assert other < clean, "the comparison would show little"
    # In pictures, as a share of exactly a point more is no exact number.
    assert int(ours.sum()) <= int(theirs.sum()) + len(ours) // 100
