"""Noise of four kinds. It is drawn value by value, so it does not scale with the size of the picture."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs


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
    # By inversion: the least count whose cumulative probability exceeds a uniform value, e^−λ Σ λ^i / i!.
    drawn, rate = stream.uniform(picture), picture.double() * photons
    probability = torch.exp(-rate)
    cumulative, count = probability.clone(), torch.zeros_like(rate)
    for more in itertools.count(1):
        beyond = drawn >= cumulative
        if not bool(beyond.any()):
            break
        count += beyond
        probability *= rate / more
        cumulative += probability
    return (count / photons).to(picture.dtype)
