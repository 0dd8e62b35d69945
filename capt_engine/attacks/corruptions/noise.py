"""Noise of four kinds. It is drawn value by value, so it does not scale with the size of the picture."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs


def gaussian_noise(picture: Tensor, sigma: float, stream: PictureRngs) -> Tensor:
    """Add normal noise to every value, as in poor light.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        sigma: standard deviation of the noise, in pixel units.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    return picture + sigma * stream.normal(picture)


def speckle_noise(picture: Tensor, sigma: float, stream: PictureRngs) -> Tensor:
    """Add normal noise that is the stronger the lighter the value.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        sigma: standard deviation of the noise as a share of the value.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    return picture * (1 + sigma * stream.normal(picture))


def impulse_noise(picture: Tensor, share: float, stream: PictureRngs) -> Tensor:
    """Replace a share of the values by 0 or 1, as bit errors do.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        share: the share of the values that is replaced, in [0, 1].
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    drawn = stream.uniform(picture)
    stuck = torch.where(drawn < share / 2, 0.0, 1.0)
    return torch.where(drawn < share, stuck, picture)


def shot_noise(picture: Tensor, photons: float, stream: PictureRngs) -> Tensor:
    """Replace each value by a random count of photons (Poisson noise), scaled back to pixel units.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        photons: the mean count where the picture is white, above 0; fewer are noisier.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
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
