"""Rotation and translation: the worst of a grid of small moves of the whole picture (Engstrom et al. 2019, arXiv 1712.02779)."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter
from capt_engine.attacks.settings import stop_param
from capt_engine.attacks.worst import Worst
from capt_engine.progress import Progress
from capt_engine.registry import param

_EDGES = {"black": "zeros", "stretched": "border", "mirrored": "reflection"}


@dataclass(frozen=True)
class Spatial(Attack):
    """Tries every turn with every shift of the grid and keeps the worst; a grid finds more than gradients do (their section 4).

    Cost: turns × shifts² forward passes, and one of the clean pictures.
    """

    name = "spatial"
    label = "Rotation and translation"
    summary = "Turns and shifts the picture a little, over a whole grid of ways, and keeps the one that hurts most."
    knowledge = "scores"
    norms = ()

    degrees: float = param(30.0, "Largest turn", unit="°", low=0.0, high=180.0, help="Turns go this far either way.")
    shift: float = param(
        0.1,
        "Largest shift",
        low=0.0,
        high=0.5,
        help="Shifts go this far each way, as a share of the picture's width and height.",
    )
    turns: int = param(31, "Turns", low=1, high=361, help="How many turns are tried, evenly spread; one means none.")
    shifts: int = param(
        5, "Shifts", low=1, high=101, help="How many shifts are tried along each axis, evenly spread; one means none."
    )
    edge: str = param(
        "black",
        "Beyond the edge",
        choices=tuple(_EDGES),
        help="What comes in from outside where the picture has moved away.",
    )
    stop_early: bool = stop_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: once a move of the grid, turns × shifts²."""
        return self.turns * self.shifts**2

    @property
    def budget(self) -> str:
        """Return the moves in words, as no ε bounds them.

        For example: "turns up to ±30° and shifts up to ±0.1 of the picture's size, worst of 775".
        """
        return f"turns up to ±{self.degrees:g}° and shifts up to ±{self.shift:.3g} of the picture's size, worst of {self.work}"

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch by trying every turn and shift of the grid, and keep the one that hurts each picture most.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: only its goal counts; norm and budget are not used.
            rngs: not used.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1]; the clean picture where nothing better was found.
        """
        del rngs
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)
        worst = Worst(model, images, criterion)
        shifts = _spread(self.shift, self.shifts)
        for degrees, right, down in itertools.product(_spread(self.degrees, self.turns), shifts, shifts):
            active = worst.active(self.stop_early)
            if not len(active):
                break
            counter(f"{degrees:+.3g}°, {right:+.2f} right, {down:+.2f} down")
            worst.try_out(rotate_translate(images[active], degrees, right, down, self.edge), active)
        return worst.pictures


def _spread(largest: float, count: int) -> list[float]:
    """`count` values from −largest to largest, evenly; 0 for one."""
    if count == 1:
        return [0.0]
    return [largest * (2 * i / (count - 1) - 1) for i in range(count)]


def rotate_translate(images: Tensor, degrees: float, right: float, down: float, edge: str = "black") -> Tensor:
    """Rotate pictures about their middle, then translate them, with bilinear interpolation.

    Args:
        images: pixels (n, 3, h, w) in [0, 1].
        degrees: the turn, anticlockwise.
        right: the shift to the right as a share of the width, in [−1, 1].
        down: the shift downwards as a share of the height, in [−1, 1].
        edge: the content beyond the edge, "black", "stretched" (the edge pixels go on) or "mirrored".

    Returns:
        Pixels (n, 3, h, w) in [0, 1].
    """
    height, width = images.shape[2:]
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    # Which point of the old picture each point of the new one shows, in torch's coordinates from −1 to 1 along either axis.
    x, y = 2 * right, 2 * down
    across, along = sin * height / width, sin * width / height
    back = torch.tensor([[cos, -across, -cos * x + across * y], [along, cos, -along * x - cos * y]])
    grid = F.affine_grid(back[None], [1, 1, height, width], align_corners=False).to(images)
    padding = _EDGES[edge]
    return F.grid_sample(images, grid.expand(len(images), -1, -1, -1), padding_mode=padding, align_corners=False).clamp(
        0, 1
    )
