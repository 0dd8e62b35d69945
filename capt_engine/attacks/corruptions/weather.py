"""Weather, light and what splashes on the lens. Everything is drawn by rule; there are no photographs of snow or frost in it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.corruptions.base import blurred, chance, clouds, grey, one_chance, pixels, streaked, stretched

_FROST = (0.86, 0.93, 1.0)
_WATER = (0.70, 0.86, 0.90)
_MUD = (0.30, 0.21, 0.13)
_MIST = 0.88


def snow(picture: Tensor, density: float, flake: float, length: float, veil: float, stream: PictureRngs) -> Tensor:
    """Draw flakes that fall aslant, smeared by their fall, before a scene that has grown paler.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        density: the share of the picture that flakes cover before they are smeared.
        flake: standard deviation of a flake, in pixels of a 224-pixel picture.
        length: the smear's length, in pixels of a 224-pixel picture.
        veil: how pale the scene grows, in [0, 1].
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    height, width = picture.shape[2:]
    fall = 60 + 60 * one_chance(stream)
    radius = max(pixels(flake, picture), 0.35)
    # So many flakes that, whatever their size in pixels, they cover the same share of the picture.
    centres = (chance(stream, 1, height, width) < density / (2 * math.pi * radius**2)).float()
    flakes = blurred(centres, radius) * (2 * math.pi * radius**2)
    layer = streaked(flakes.clamp(0, 1), pixels(length, picture), fall) * 1.6
    pale = torch.maximum(picture, grey(picture) * 0.8 + 0.35)
    scene = picture * (1 - veil) + pale * veil
    return scene + layer.clamp(0, 1) * (0.97 - scene)


def frost(picture: Tensor, cover: float, stream: PictureRngs) -> Tensor:
    """Cover the picture with ice: patches of needles, thicker towards the edges, and a cold veil between them.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        cover: how much ice there is, in [0, 1].
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    ice = _crystals(picture, stream)
    colour = torch.tensor(_FROST).view(1, 3, 1, 1)
    opaque = ((ice + cover * 0.75 - 0.55) * 1.5).clamp(0, 1) * min(1.0, 0.55 + cover / 2)
    veiled = picture * (1 - 0.35 * cover) + colour * (0.22 * cover)
    return veiled * (1 - opaque) + colour * (0.65 + 0.35 * ice) * opaque


def _crystals(picture: Tensor, stream: PictureRngs) -> Tensor:
    """Needles of ice, (1, 1, h, w) from 0 to 1: fine noise drawn out along the direction of the nearest of some scattered seeds."""
    height, width = picture.shape[2:]
    places, directions = chance(stream, 14, 2)[0], 4
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    # The borders between patches are bent, for ice does not grow along rulers.
    bend = clouds(picture, stream, first=4)[0, 0] - 0.5
    far = ((x + 0.15 * bend)[None] - places[:, 1, None, None]).square() + (
        (y - 0.15 * bend)[None] - places[:, 0, None, None]
    ).square()
    patch = far.argmin(dim=0) % directions
    needles = torch.zeros(1, 1, height, width)
    turn = 180 * one_chance(stream)
    for direction in range(directions):
        grains = (chance(stream, 1, height, width) < 0.5).float()
        drawn_out = streaked(grains, pixels(26, picture), turn + 180 / directions * direction)
        needles = torch.where(patch == direction, stretched(drawn_out), needles)
    edge = 2 * torch.maximum((x - 0.5).abs(), (y - 0.5).abs())
    return stretched(needles * (0.55 + 0.45 * clouds(picture, stream, first=3)) + 0.35 * edge)


def fog(picture: Tensor, thickness: float, roughness: float, stream: PictureRngs) -> Tensor:
    """Dim the picture by exp(−thickness) as drifting mist does, and add the mist's pale grey (Koschmieder's law).

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        thickness: optical thickness of middling mist, at least 0; lighter and denser places have from 0.3 to 1.7 times
            as much.
        roughness: the strength of each finer layer of the mist relative to the coarser one before; smaller is smoother.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    mist = 0.3 + 1.4 * clouds(picture, stream, roughness=roughness)
    left = torch.exp(-thickness * mist)
    return picture * left + _MIST * (1 - left)


def brightness(picture: Tensor, gain: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Raise the value of each pixel (the largest of its three colours), as more daylight does; hue and saturation stay.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        gain: what is added to the value, in pixel units.
        stream: the picture's random stream; nothing is drawn.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    value = picture.amax(dim=1, keepdim=True)
    raised = (value + gain).clamp(0, 1)
    return torch.where(value > 0, picture / value.clamp_min(1e-6) * raised, raised)


def spatter(picture: Tensor, cover: float, mud: float, stream: PictureRngs) -> Tensor:
    """Put drops on the lens: water that shines at its rims, or mud.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        cover: the share of the picture under drops, in [0, 1].
        mud: 0 for water, any other number for mud.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    drops = clouds(picture, stream, first=9, roughness=0.5)
    threshold = torch.quantile(drops.flatten(), 1 - cover)
    depth = ((drops - threshold) / (1 - threshold).clamp_min(1e-6)).clamp(0, 1)
    wetness = (depth * 14).clamp(0, 1)
    if mud:
        colour = torch.tensor(_MUD).view(1, 3, 1, 1) * (0.7 + 0.6 * (1 - depth))
        return picture * (1 - wetness * 0.92) + colour * wetness * 0.92
    rim = (depth * 14).clamp(0, 1) - (depth * 4 - 0.15).clamp(0, 1)
    colour = torch.tensor(_WATER).view(1, 3, 1, 1)
    wet = wetness * 0.28 + rim.clamp(0, 1) * 0.42
    return picture * (1 - wet) + colour * wet
