"""Square attack: random search with squares, from the logits alone (Andriushchenko et al. 2020, arXiv 1912.00049, Algorithms 1 to 3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, Attack, LogitsFn, Norm, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.windows import window
from capt_engine.progress import Progress
from capt_engine.registry import param

# Queries, out of 10,000, after which the squares' area is halved (section 3.1, with AutoAttack's extra step at 500).
_HALVINGS = (10, 50, 200, 500, 1_000, 2_000, 4_000, 6_000, 8_000)
_TINY = 1e-12
# Queries whose places and signs are drawn together, and the values that each takes at most.
_DRAWN, _VALUES = 64, 8


@dataclass(frozen=True)
class Square(Attack):
    """Tries one random square at a time and keeps what lowers the margin; a picture asks no more once it is fooled.

    Cost: at most `queries` forward passes, and one of the clean pictures. No gradient, so it sees through masked ones.
    """

    name = "square"
    label = "Square"
    summary = "Random search that asks the model for its scores only: finds what hides behind useless gradients."
    knowledge = "scores"
    norms = ("linf", "l2")

    queries: int = param(
        5_000,
        "Queries",
        low=1,
        high=100_000,
        help="Queries of the model for each picture, at most; 5,000 make a figure.",
    )
    share: float = param(
        0.8,
        "First square",
        low=0.001,
        high=1.0,
        help="The share of the picture that the first squares cover; later ones are smaller.",
    )

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: once a query; less if all are fooled earlier."""
        return self.queries

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with the Square attack: random squares, kept where the logits show that they hurt.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: norm, budget and goal.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget; the clean picture where nothing better was
            found.
        """
        criterion = Criterion(labels, threat.targeted)
        # Sent to the device once for all queries with squares of one size.
        bumps = cache(lambda side: _two_bumps(side).to(images))
        with torch.no_grad():
            clean = criterion.adversarial_margin(model(images))
            current, best = images.clone(), clean.clone()
            for query in range(self.queries):
                active = (best <= 0).nonzero().flatten()
                if not len(active):
                    break
                progress(query, self.work, f"query {query + 1} of {self.queries}")
                pictures = images[active]
                drawn = (query - 1) % _DRAWN
                if query and not drawn:
                    # For every picture, finished or not, so that the values of a picture do not depend on the others.
                    chance = rngs.uniform(images[:, :1, :1, :1].expand(-1, _DRAWN, _VALUES, 1)).flatten(2)
                if query:
                    side = self._side(query, images, threat.norm)
                    delta = self._changed(current[active] - pictures, threat, side, chance[active, drawn], bumps)
                else:
                    delta = _first(pictures, threat, rngs.only(active))
                tried = (pictures + threat.norm.project(delta, threat.eps)).clamp(0, 1)
                margins = criterion.of(active).adversarial_margin(model(tried))
                # The first pattern is taken as it is: the search goes on from there, not from the clean picture.
                better = margins > best[active] if query else torch.ones_like(margins, dtype=torch.bool)
                current[active] = torch.where(better.view(-1, 1, 1, 1), tried, current[active])
                best[active] = torch.where(better, margins, best[active])
        better = (best > clean)[:, None, None, None]
        return torch.where(better, current, images)

    def _side(self, query: int, images: Tensor, norm: Norm) -> int:
        """The side of the squares at that query, in pixels."""
        height, width = images.shape[2:]
        # A short search under L∞ gains by going through the whole schedule; under L2, where a square can only take what another gives
        # up, it gains by staying large (docs/attacks.md has the figures; at 5,000 queries both are the same).
        done = query / self.queries * 10_000 if norm is LINF else query
        share = self.share / 2 ** sum(done > halving for halving in _HALVINGS)
        return max(1, min(round(math.sqrt(share * height * width)), min(height, width) - 1))

    def _changed(
        self, delta: Tensor, threat: Threat, side: int, chance: Tensor, bumps: Callable[[int], Tensor]
    ) -> Tensor:
        """The perturbation (m, 3, h, w) with one square of it made anew by chances (m, 8) in [0, 1)."""
        if threat.norm is not LINF:
            # The nearest odd side that holds a bump and fits in.
            side = min(max(side, 3) | 1, *delta.shape[2:])
            return _l2_square(delta, threat.norm, threat.eps, bumps(side), chance)
        changed = delta.clone()
        changed[_place(delta, side, chance[:, :2])] = _signs(chance[:, 2:5, None, None]).to(delta) * threat.eps
        return changed


def _first(pictures: Tensor, threat: Threat, streams: PictureRngs) -> Tensor:
    """The first perturbation (m, 3, h, w): vertical stripes of ±ε under L∞, a grid of bumps up and down under L2."""
    if threat.norm is LINF:
        return (_signs(streams.uniform(pictures[:, :, :1])) * threat.eps).expand_as(pictures)
    height, width = pictures.shape[2:]
    side = max(min(height, width) // 5, 1)
    rows, columns = torch.arange(height) // side, torch.arange(width) // side
    tiles = (int(rows.max()) + 1, int(columns.max()) + 1)
    chance = streams.uniform(pictures[:, :1, :1, :1].expand(-1, 4, *tiles))
    signs, turned = _signs(chance[:, :3]), chance[:, 3:] < 0.5
    bumps = _two_bumps(side).to(pictures)
    place = torch.arange(height)[:, None] % side, torch.arange(width)[None] % side
    shape = torch.where(_tiled(turned, rows, columns), bumps.T[place], bumps[place])
    return threat.norm.normalize(_tiled(signs, rows, columns) * shape) * threat.eps


def _tiled(values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """One value a tile, (m, c, tiles down, tiles across), as one a pixel, (m, c, h, w)."""
    return values[:, :, rows][:, :, :, columns]


def _l2_square(delta: Tensor, norm: Norm, eps: float, bump: Tensor, chance: Tensor) -> Tensor:
    """Algorithm 3: the norm inside two windows, and the unused part of ε, moves into the first of them, with a new bump added."""
    side = len(bump)
    first, second = _place(delta, side, chance[:, 0:2]), _place(delta, side, chance[:, 2:4])
    bumps = torch.where((chance[:, 4] < 0.5)[:, None, None, None], bump.T, bump) * _signs(chance[:, 5:8, None, None])
    fresh = bumps + delta[first] / _channel_norm(delta[first]).clamp_min(_TINY)
    rest = delta.clone()
    rest[first], rest[second] = 0.0, 0.0
    held = _channel_norm(delta - rest).square()
    unused = (eps**2 - norm.norm(delta).square()).clamp_min(0)[:, None, None, None] / 3
    rest[first] = fresh / _channel_norm(fresh).clamp_min(_TINY) * (held + unused).sqrt()
    return norm.normalize(rest) * eps


def _place(delta: Tensor, side: int, chance: Tensor) -> tuple[Tensor, ...]:
    """Index of one window a picture (see `window`), wholly inside it, at a place by chances (m, 2) in [0, 1)."""
    height, width = delta.shape[2:]
    # Number by number: a tensor of both would have to be sent to the device in each query.
    places = [chance[:, 0] * (height - side + 1), chance[:, 1] * (width - side + 1)]
    return window(delta, torch.stack(places, dim=1).long(), side)


def _signs(chance: Tensor) -> Tensor:
    """±1 by chances in [0, 1), of the same shape."""
    return torch.where(chance < 0.5, -1.0, 1.0)


def _channel_norm(values: Tensor) -> Tensor:
    return values.square().sum(dim=(2, 3), keepdim=True).sqrt()


def _bump(height: int, width: int) -> Tensor:
    """Nested squares about the middle, the k-th from it adding 1/k², cut to (height, width) and of length 1 (η of Algorithm 3)."""
    rows, columns = torch.arange(height) - height // 2, torch.arange(width) - width // 2
    ring = torch.maximum(rows.abs()[:, None], columns.abs()[None])
    gains = 1 / torch.arange(1, max(height, width) // 2 + 2).double().square()
    # A pixel lies in all squares but those too small to reach it.
    bump: Tensor = gains.flip(0).cumsum(0).flip(0)[ring]
    return bump / float(bump.norm())


def _two_bumps(side: int) -> Tensor:
    """A square whose upper part is a bump up and whose lower part is a bump down, of length 1; (side, side)."""
    upper = side // 2
    if not upper:
        return torch.ones(side, side)
    both = torch.cat([_bump(upper, side), -_bump(side - upper, side)])
    return both / float(both.norm())
