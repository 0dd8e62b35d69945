"""One common corruption at one severity (Hendrycks & Dietterich 2019, arXiv 1903.12261): what happens to pictures without an attacker."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.corruptions import CORRUPTIONS, SEVERITIES
from capt_engine.progress import Progress
from capt_engine.registry import param


@dataclass(frozen=True)
class Corrupt(Attack):
    """A random change that does not ask the model, so now and then it helps. Cost: no forward pass."""

    name = "corruption"
    label = "Common corruption"
    summary = (
        "Noise, blur, weather or a bad file, drawn without looking at the model: what happens without an attacker."
    )
    knowledge = "nothing"
    norms = ()

    kind: str = param("gaussian-noise", "Kind", choices=CORRUPTIONS.names(), help="What happens to the picture.")
    severity: int = param(
        3, "Severity", low=1, high=SEVERITIES, help="From 1, hardly a nuisance, to 5, hard for people too."
    )

    @property
    def work(self) -> int:
        """One unit a batch."""
        return 1

    @property
    def budget(self) -> str:
        """See `Attack.budget`."""
        return f"{CORRUPTIONS[self.kind].label}, severity {self.severity} of {SEVERITIES}"

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """See `Attack.run`; model, labels and threat are not used."""
        del model, labels, threat
        progress(0, self.work, self.budget)
        corruption = CORRUPTIONS[self.kind]
        with torch.no_grad():
            pictures = images.cpu().float()
            streams = [rngs.only(torch.tensor([i])) for i in range(len(images))]
            corrupted = [corruption(one[None], self.severity, rng) for one, rng in zip(pictures, streams, strict=True)]
            return torch.cat(corrupted).to(images)
