"""One common corruption at one severity (Hendrycks & Dietterich 2019, arXiv 1903.12261): what happens to pictures without an attacker."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.corruptions import CORRUPTIONS, SEVERITIES
from capt_engine.attacks.corruptions.workers import active
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
        """Return 1: `run` calls `progress` once a batch."""
        return 1

    @property
    def budget(self) -> str:
        """Return kind and severity in words, such as "Gaussian noise, severity 3 of 5", as no ε bounds this change."""
        return f"{CORRUPTIONS[self.kind].label}, severity {self.severity} of {SEVERITIES}"

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Corrupt one batch with the chosen kind and severity, without asking the model.

        Args:
            model: not used.
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: not used.
            threat: not used.
            rngs: one random stream per picture.
            progress: called once; an exception that it raises ends the work.

        Returns:
            Corrupted pictures (n, 3, h, w) in [0, 1], of the type and on the device of `images`.
        """
        del model, labels, threat
        progress(0, self.work, self.budget)
        corruption = CORRUPTIONS[self.kind]
        with torch.no_grad():
            pictures = images.cpu().float()
            if (workers := active()) is not None and len(images) > 1:
                made = workers.corrupted(self.kind, self.severity, torch.split(pictures, 1), rngs)
                if made is not None:
                    return torch.cat(made).to(images)
            streams = [rngs.only(torch.tensor([i])) for i in range(len(images))]
            corrupted = [corruption(one[None], self.severity, rng) for one, rng in zip(pictures, streams, strict=True)]
            return torch.cat(corrupted).to(images)
