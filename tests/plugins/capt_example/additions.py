"""One addition for each table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.metrics.base import Metric
from capt_engine.model.importers.base import Family
from capt_engine.model.importers.coop import COOP
from capt_engine.progress import Progress
from capt_engine.registry import param
from capt_engine.tuning.methods import Method

FAILING = 0.25


@dataclass(frozen=True)
class Brighten(Attack):
    """Makes every picture lighter by a share of the budget."""

    name: ClassVar[str] = "brighten"
    label: ClassVar[str] = "Brighten"
    summary: ClassVar[str] = "Adds the same value to every pixel."
    knowledge: ClassVar[str] = "nothing"
    norms: ClassVar[tuple[str, ...]] = ("linf",)

    share: float = param(1.0, "Share of the budget", low=0.0, high=1.0, help="How much of it is used.")

    @property
    def work(self) -> int:
        """No forward pass."""
        return 1

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """See `Attack.run`."""
        del model, labels, rngs
        progress()
        if self.share == FAILING:
            raise ZeroDivisionError("the light has gone out")
        return (images + self.share * threat.eps).clamp(0, 1)


class Unlabelled(Brighten):
    """An attack without a sentence for its form."""

    name = "unlabelled"
    summary = None


brightness = Metric(
    "brightness_change",
    "Change of brightness",
    lambda o: (o.adversarial_images - o.images).flatten(1).mean(dim=1),
    "The mean over all values of what was added.",
)
a_column = replace(brightness, name="path")
short = Method("capt-short", "CAPT, short", "tests", "capt", "vision_to_text", 1, 1, summary="One token in one layer.")
pointless = replace(short, name="pointless", objective="nothing")
coop_again: Family = replace(COOP, name="coop-again")
