"""The surfaces of the toy world: solid noise, five materials, and the grounds that things stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capt_engine.demo.shapes import Array

_LATTICE: Array = np.random.Generator(np.random.PCG64(20261122)).random((32, 32, 32), dtype=np.float32)


def noise(p: Array) -> Array:
    """Compute smooth value noise at some points, one bump per unit of length, repeating every 32 units.

    Args:
        p: points (3, n).

    Returns:
        Values (n,) in [0, 1].
    """
    cell = np.floor(p)
    f = p - cell
    f = f * f * (3 - 2 * f)
    low = cell.astype(np.int32) & 31
    high = (low + 1) & 31
    flat = _LATTICE.reshape(-1)
    x0, x1, y0, y1, z0, z1 = low[0] << 10, high[0] << 10, low[1] << 5, high[1] << 5, low[2], high[2]

    def row(base: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> Array:
        near, far = flat[base + z0], flat[base + z1]
        return np.asarray(near + (far - near) * f[2], dtype=np.float32)

    near, far = row(x0 + y0), row(x1 + y0)
    near = near + (row(x0 + y1) - near) * f[1]
    far = far + (row(x1 + y1) - far) * f[1]
    return np.asarray(near + (far - near) * f[0], dtype=np.float32)


def _mix(a: Array, b: Array, share: Array) -> Array:
    return a + (b - a) * share


def _step(low: float, high: float, value: Array) -> Array:
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


@dataclass(frozen=True)
class Finish:
    """A material's answer to light: diffuse share, mirror share at the centre and at the rim, strength and sharpness of the highlight."""

    diffuse: float
    mirror: float
    rim: float
    highlight: float
    sharpness: float
    tinted: bool = False


FINISHES = {
    "rubber": Finish(1.0, 0.0, 0.06, 0.05, 6),
    "plastic": Finish(1.0, 0.085, 0.6, 1.8, 160),
    "metal": Finish(0.12, 1.0, 1.05, 1.8, 60, tinted=True),
    "wood": Finish(1.0, 0.0, 0.1, 0.12, 18),
    "marble": Finish(0.95, 0.035, 0.4, 0.7, 90),
    "clay": Finish(1.0, 0.0, 0.03, 0.02, 5),
}


def albedo(material: str, colour: Array, p: Array, shift: Array) -> Array:
    """Compute the base colour of a material, without light, at some points of an object.

    Args:
        material: a key of FINISHES.
        colour: the tint, linear RGB (3,).
        p: points (3, n) in the object's frame.
        shift: offset of the pattern (3,).

    Returns:
        Linear RGB (3, n).
    """
    base = colour[:, None]
    q = p + shift[:, None]
    if material == "wood":
        # Rings about a slanted axis, as if the object were turned from a plank next to the heart of the trunk.
        wobble = noise(q * 1.6)
        across = np.hypot(p[0] * 0.9 + p[2] * 0.25 + 0.55, p[1] + 0.3 * p[2] + 0.2) + 0.22 * wobble
        ring = across * 6.5
        ring = ring - np.floor(ring)
        late = np.minimum(_step(0.0, 0.75, ring), 1 - _step(0.86, 1.0, ring))
        grain = noise(q * np.array([[26], [26], [3]], dtype=np.float32))
        brown = np.array([[0.34], [0.17], [0.07]], dtype=np.float32)
        light = base * 0.86 + brown * 0.2
        dark = base * 0.3 + brown * 0.2
        return _mix(light, dark, np.clip(0.92 * late + 0.22 * (grain - 0.5), 0, 1))
    if material == "marble":
        turbulence = noise(q * 2.2) + 0.5 * noise(q * 4.7) + 0.25 * noise(q * 10)
        wave = np.sin(p[0] * 2.3 + p[1] * 1.3 + p[2] * 3.1 + shift[0] + 6.5 * turbulence)
        vein = np.clip(1 - np.abs(wave) * 1.35, 0, 1) ** 2.2
        cloud = 0.72 + 0.4 * noise(q * 1.3)
        pale = np.array([[0.86], [0.85], [0.83]], dtype=np.float32)
        return _mix(base * cloud, pale, 0.9 * vein)
    if material == "rubber":
        return base * (0.66 + 0.3 * noise(q * 24))
    if material == "clay":
        return (base * 0.72 + 0.07) * (0.82 + 0.3 * noise(q * 5) + 0.12 * (noise(q * 22) - 0.5))
    if material == "metal":
        # Brushed: fine streaks round the upright axis, so that flat faces too can be told from plastic.
        streaks = noise(q * np.array([[3], [3], [60]], dtype=np.float32))
        bright = base * 1.05 + 0.07 * base.max() + 0.015
        return np.asarray(bright * (0.84 + 0.3 * streaks), dtype=np.float32)
    return np.broadcast_to(base, p.shape)


@dataclass(frozen=True)
class Ground:
    """The plane the object stands on: a pattern of two linear colours, turned and shifted."""

    kind: str
    light: Array
    dark: Array
    turn: float
    shift: Array
    scale: float


GROUNDS = ("studio", "checker", "planks", "sand", "tiles", "cloth")


def ground_colour(ground: Ground, x: Array, y: Array) -> Array:
    """Compute the colour of the ground at some points.

    Args:
        ground: its pattern and colours.
        x: world coordinates of n points along the first level axis (n,).
        y: those along the second (n,).

    Returns:
        Linear RGB (3, n).
    """
    cosine, sine = np.float32(np.cos(ground.turn)), np.float32(np.sin(ground.turn))
    u = (cosine * x + sine * y) * ground.scale + ground.shift[0]
    v = (cosine * y - sine * x) * ground.scale + ground.shift[1]
    light, dark = ground.light[:, None], ground.dark[:, None]
    share: NDArray[Any]
    if ground.kind == "studio":
        return np.broadcast_to(light, (3, x.size))
    if ground.kind == "checker":
        share = (np.floor(u) + np.floor(v)) % 2
    elif ground.kind == "planks":
        board = np.floor(v * 1.4)
        seam = np.minimum(v * 1.4 - board, 1 - (v * 1.4 - board))
        tone = np.modf(np.abs(np.sin(board * 12.9898) * 437.585))[0].astype(np.float32)
        grain = noise(np.stack([u * 1.2 + board * 3.7, v * 16, board]).astype(np.float32))
        share = np.clip(0.5 * tone + 0.4 * grain + (seam < 0.025), 0, 1)
    elif ground.kind == "sand":
        flat: Array = np.stack([u, v, np.zeros_like(u)])
        share = 0.55 * noise(flat * 1.6) + 0.45 * noise(flat * 22)
    elif ground.kind == "tiles":
        fu, fv = np.abs(u - np.floor(u) - 0.5), np.abs(v - np.floor(v) - 0.5)
        share = _step(0.455, 0.485, np.maximum(fu, fv))
    else:
        share = (0.5 + 0.25 * np.sin(u * 44) + 0.25 * np.sin(v * 44)).astype(np.float32)
    return _mix(light, dark, np.asarray(share, dtype=np.float32))
