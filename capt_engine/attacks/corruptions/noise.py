"""Noise of four kinds. It is drawn value by value, so it does not scale with the size of the picture."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.corruptions.base import one_chance


def gaussian_noise(picture: Tensor, sigma: float, stream: PictureRngs) -> Tensor:
    """Normal noise on every value: poor light."""
    return picture + sigma * stream.normal(picture)


def speckle_noise(picture: Tensor, sigma: float, stream: PictureRngs) -> Tensor:
    """Normal noise that is the stronger the lighter the value."""
    return picture * (1 + sigma * stream.normal(picture))


def impulse_noise(picture: Tensor, share: float, stream: PictureRngs) -> Tensor:
    """Values that are stuck at 0 or 1: bit errors."""
    drawn = stream.uniform(picture)
    stuck = torch.where(drawn < share / 2, 0.0, 1.0)
    return torch.where(drawn < share, stuck, picture)


def shot_noise(picture: Tensor, photons: float, stream: PictureRngs) -> Tensor:
    """Light counted photon by photon, `photons` of them where it is white (Poisson): discrete light."""
    # Poisson draws come from a stream of their own, for torch alone knows how many numbers one of them takes.
    generator = torch.Generator().manual_seed(int(one_chance(stream) * 2**24))
    return torch.poisson(picture * photons, generator=generator) / photons
