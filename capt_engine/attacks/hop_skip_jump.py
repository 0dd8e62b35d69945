"""HopSkipJump: an attack on the winning class alone (Chen, Jordan & Wainwright 2020, arXiv 1904.02144, Algorithm 2)."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, Attack, LogitsFn, Norm, PictureRngs, Threat
from capt_engine.progress import Progress
from capt_engine.registry import param

# The search of one picture: it yields pictures, receives whether each fools the model, and returns the one that it found.
_Search = Generator[Tensor, bool, Tensor]

# The boundary is found to this share of the distance. The paper's share, d^(−3/2), is finer than fp32 tells apart at 224 pixels.
_PRECISION = 1e-4
_HALVINGS = 20
# Random probes that are drawn together.
_DRAWN = 16


@dataclass(frozen=True)
class HopSkipJump(Attack):
    """Walks along the boundary towards the picture and estimates its gradient from the side on which random probes fall.

    It starts from any fooled picture, however far, and is done once one lies inside the ball. Cost: at most `queries` forward passes,
    and one of the clean pictures. Each picture asks at its own pace, so the rest of the batch changes nothing.
    """

    name = "hop-skip-jump"
    label = "HopSkipJump"
    summary = "Sees only which class wins, no score and no gradient, and works its way towards the picture from afar."
    knowledge = "decisions"
    norms = ("linf", "l2")

    queries: int = param(
        5_000,
        "Queries",
        low=1,
        high=1_000_000,
        help="Queries of the model for each picture, at most; it needs thousands.",
    )
    probes: int = param(
        100,
        "First probes",
        low=2,
        high=10_000,
        help="Random probes for the first gradient; round t takes √t times as many.",
    )

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: once a query; less if all are fooled earlier."""
        return self.queries

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with HopSkipJump, which sees only the winning class.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: norm, budget and goal.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget; the clean picture where no success was found
            inside the ball, or where it already meets the goal.
        """
        found = images.clone()
        with torch.no_grad():
            open_still = (~_fooled(model, images, labels, threat)).nonzero().flatten().tolist()
            searches: dict[int, _Search] = {}
            pending: dict[int, Tensor] = {}
            for place in open_still:
                stream = rngs.only(torch.tensor([place]))
                searches[place] = _search(images[place : place + 1], threat.norm, threat.eps, self.probes, stream)
                pending[place] = next(searches[place])
            places: list[int] = []
            for query in range(self.queries):
                if not pending:
                    break
                progress(query, self.work, f"query {query + 1} of {self.queries}")
                if places != list(pending):
                    # Indices are sent to the device, so only where a picture is done.
                    places = list(pending)
                    wanted = labels[places]
                fooled = _fooled(model, torch.cat([pending[place] for place in places]), wanted, threat)
                for place, answer in zip(places, fooled.tolist(), strict=True):
                    try:
                        pending[place] = searches[place].send(answer)
                    except StopIteration as end:
                        found[place] = end.value[0]
                        del pending[place]
        return found


def _fooled(model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat) -> Tensor:
    """A mask (n,): True where the answer is the attacker's goal."""
    winners = model(images).argmax(dim=1)
    return winners == labels if threat.targeted else winners != labels


def _search(picture: Tensor, norm: Norm, eps: float, probes: int, stream: PictureRngs) -> _Search:
    """One picture's walk, (1, 3, h, w); returns a fooled picture inside the ball."""
    far = yield from _start(picture, stream)
    step = 0
    while True:
        step += 1
        # Both of the paper's ways to shrink, the line (L2) and the clip (L∞), are the projection onto a smaller ball.
        high, low = float(norm.norm(far - picture)), eps
        nearby = _shrunk(picture, far, norm, eps)
        if (yield nearby):
            return nearby
        edge = far
        while high - low > _PRECISION * high:
            middle = (high + low) / 2
            tried = _shrunk(picture, far, norm, middle)
            if (yield tried):
                edge, high = tried, middle
            else:
                low = middle
        gradient = yield from _gradient(picture, edge, norm, round(probes * step**0.5), stream)
        far, step_size = edge, high / step**0.5
        for _ in range(_HALVINGS):
            tried = (edge + step_size * norm.normalize(gradient)).clamp(0, 1)
            if (yield tried):
                far = tried
                break
            step_size /= 2


def _shrunk(picture: Tensor, far: Tensor, norm: Norm, length: float) -> Tensor:
    return (picture + norm.project(far - picture, length)).clamp(0, 1)


def _start(picture: Tensor, stream: PictureRngs) -> _Search:
    """Any adversarial picture: noise of every coarseness, shaded and then saturated, until one fools the model."""
    height, width = picture.shape[2:]
    coarseness = 1 + math.ceil(math.log2(max(height, width)))
    attempt = 0
    while True:
        cell = 2 ** (attempt % coarseness)
        blocks = stream.uniform(picture[:, :, : -(-height // cell), : -(-width // cell)])
        tried = blocks.repeat_interleave(cell, dim=2).repeat_interleave(cell, dim=3)[:, :, :height, :width]
        if attempt // coarseness % 2:
            tried = tried.round()
        if (yield tried):
            return tried
        attempt += 1


def _gradient(picture: Tensor, edge: Tensor, norm: Norm, probes: int, stream: PictureRngs) -> _Search:
    """Monte-Carlo estimate of the gradient at the boundary point `edge`, (1, 3, h, w), with the baseline (equations 9 and 16)."""
    values = edge[0].numel()
    # Far enough that a probe's share across the boundary, 1/√d of it, exceeds the error with which the boundary is known.
    radius = min(values**0.5 * _PRECISION, 0.1) * float((edge - picture).norm())
    weighted, total, answers = torch.zeros_like(edge), torch.zeros_like(edge), 0.0
    for i in range(probes):
        if i % _DRAWN == 0:
            like = edge[:, None].expand(-1, _DRAWN, -1, -1, -1)
            ways = stream.uniform(like) * 2 - 1 if norm is LINF else stream.normal(like)
        way = ways[:, i % _DRAWN]
        probe = (edge + radius * way / way.norm()).clamp(0, 1)
        # The part of the probe that lies inside the pixel box is the one that was classified.
        way = (probe - edge) / max(radius, 1e-12)
        answer = 1.0 if (yield probe) else -1.0
        weighted, total, answers = weighted + answer * way, total + way, answers + answer
    mean = answers / probes
    return mean * total if abs(mean) == 1 else weighted - mean * total
