"""Signed distance functions of the toy world's objects (after Inigo Quilez, "distance functions").

Points are `(3, n)` float32 in the object's own frame: x to the right, y into the depth, z up, everything inside a
sphere of radius `Form.bound` about the origin. A distance is negative inside, and never larger than the true one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Field = Callable[[Array], Array]


@dataclass(frozen=True)
class Form:
    """One shape: its distance, bounding radius and lowest point, and how far it may turn from facing the camera."""

    distance: Field
    bound: float
    rest: float
    facing: float = np.pi
    convex: bool = True


def _single(value: NDArray[Any]) -> Array:
    return np.asarray(value, dtype=np.float32)


def _length(a: Array, b: Array) -> Array:
    return np.sqrt(a * a + b * b)


def _rectangle(a: Array, b: Array, half_a: float, half_b: float) -> Array:
    da, db = np.abs(a) - half_a, np.abs(b) - half_b
    outside = _length(np.maximum(da, 0), np.maximum(db, 0))
    return outside + np.minimum(np.maximum(da, db), 0)


def _extrude(flat: Array, y: Array, half: float, rounding: float) -> Array:
    depth = np.abs(y) - half
    outside = _length(np.maximum(flat, 0), np.maximum(depth, 0))
    return outside + np.minimum(np.maximum(flat, depth), 0) - rounding


def _sphere(p: Array) -> Array:
    return _single(np.sqrt((p * p).sum(axis=0)) - 0.82)


def _cube(p: Array) -> Array:
    q = np.abs(p) - 0.57
    outside = np.maximum(q, 0)
    return _single(np.sqrt((outside * outside).sum(axis=0)) + np.minimum(q.max(axis=0), 0) - 0.07)


def _cylinder(p: Array) -> Array:
    return _rectangle(_length(p[0], p[1]), p[2], 0.53, 0.67) - 0.05


def _cone(p: Array) -> Array:
    radius = _length(p[0], p[1])
    # The slope of a cone of height 1.5 over a base of radius 0.75: two planes in the half plane (radius, z).
    side = (radius * 2 + (p[2] - 0.72)) / np.float32(np.sqrt(5))
    base = -0.72 - p[2]
    # Outside the rim the true distance is that to the rim's circle, which keeps the edge round.
    rim = _length(radius - 0.72, p[2] + 0.72)
    beyond = radius > 0.72 + np.maximum(2 * (p[2] + 0.72), 0)
    return _single(np.where(beyond, rim, np.maximum(side, base)) - 0.05)


def _donut(p: Array) -> Array:
    return _length(_length(p[0], p[1]) - 0.62, p[2]) - 0.29


def _pyramid(p: Array) -> Array:
    side = (np.maximum(np.abs(p[0]), np.abs(p[1])) * 1.7 + (p[2] - 0.7)) / np.float32(np.sqrt(1 + 1.7**2))
    return _single(np.maximum(side, -0.6 - p[2]) - 0.04)


def _capsule(p: Array) -> Array:
    return _single(np.sqrt(p[0] ** 2 + p[1] ** 2 + (p[2] - np.clip(p[2], -0.52, 0.52)) ** 2) - 0.42)


def _diamond(p: Array) -> Array:
    q = np.abs(p)
    return _single((q[0] + q[1] + q[2] - 0.93) * np.float32(1 / np.sqrt(3)) - 0.03)


def _star(p: Array) -> Array:
    cosine, sine, radius = 0.809017, 0.587785, 0.98
    x, z = np.abs(p[0]), p[2]
    fold = 2 * np.maximum(cosine * x - sine * z, 0)
    x, z = x - fold * cosine, z + fold * sine
    fold = 2 * np.maximum(-cosine * x - sine * z, 0)
    x, z = np.abs(x + fold * cosine), z + fold * sine - radius
    ax, az = 0.5 * sine, 0.5 * cosine - 1
    along = np.clip((x * ax + z * az) / (ax * ax + az * az), 0, radius)
    flat = _length(x - ax * along, z - az * along) * np.sign(z * ax - x * az)
    return _extrude(flat, p[1], 0.17, 0.05)


def _cross(p: Array) -> Array:
    flat = np.minimum(_rectangle(p[0], p[2], 0.78, 0.23), _rectangle(p[0], p[2], 0.23, 0.78))
    return _extrude(flat, p[1], 0.19, 0.05)


def _heart(p: Array) -> Array:
    scale = 1.45
    x, z = np.abs(p[0]) / scale, (p[2] + 0.82) / scale
    lobe = _length(x - 0.25, z - 0.75) - np.float32(np.sqrt(2) / 4)
    nearest = 0.5 * np.maximum(x + z, 0)
    point = np.minimum(x * x + (z - 1) ** 2, (x - nearest) ** 2 + (z - nearest) ** 2)
    flat = _single(np.where(x + z > 1, lobe, np.sqrt(point) * np.sign(x - z)) * scale)
    return _extrude(flat + 0.08, p[1], 0.1, 0.18)


def _mug(p: Array) -> Array:
    radius = _length(p[0], p[1])
    body = _rectangle(radius, p[2], 0.54, 0.63) - 0.03
    hollow = _rectangle(radius, p[2] - 0.7, 0.46, 1.15)
    handle = _length(_length(p[0] - 0.58, p[2]) - 0.34, p[1]) - 0.095
    return _single(np.minimum(np.maximum(body, -hollow), np.maximum(handle, 0.5 - radius)))


def _arch(p: Array) -> Array:
    wall = _rectangle(p[0], p[2], 0.76, 0.7)
    opening = np.minimum(_length(p[0], p[2] - 0.02) - 0.44, _rectangle(p[0], p[2] + 0.6, 0.44, 0.62))
    return _extrude(np.maximum(wall, -opening), p[1], 0.27, 0.04)


def _moon(p: Array) -> Array:
    outer, inner, shift = 0.9, 0.72, 0.46
    tilt = 0.35
    x = p[0] * np.float32(np.cos(tilt)) + p[2] * np.float32(np.sin(tilt))
    z = np.abs(p[2] * np.float32(np.cos(tilt)) - p[0] * np.float32(np.sin(tilt)))
    a = (outer**2 - inner**2 + shift**2) / (2 * shift)
    b = float(np.sqrt(outer**2 - a**2))
    horn = _length(x - a, z - b)
    disc = np.maximum(_length(x, z) - outer, inner - _length(x - shift, z))
    flat = _single(np.where(x * b - z * a > shift * np.maximum(b - z, 0), horn, disc))
    return _extrude(flat, p[1], 0.17, 0.05)


FORMS: dict[str, Form] = {
    "sphere": Form(_sphere, 0.83, -0.82),
    "cube": Form(_cube, 1.08, -0.64),
    "cylinder": Form(_cylinder, 0.94, -0.72),
    "cone": Form(_cone, 1.1, -0.77),
    "donut": Form(_donut, 0.93, -0.29, convex=False),
    "pyramid": Form(_pyramid, 1.3, -0.64),
    "capsule": Form(_capsule, 0.95, -0.94),
    "diamond": Form(_diamond, 1.0, -0.98),
    "star": Form(_star, 1.06, -0.84, facing=0.95, convex=False),
    "cross": Form(_cross, 0.9, -0.83, facing=0.95, convex=False),
    "heart": Form(_heart, 1.15, -0.9, facing=0.95, convex=False),
    "mug": Form(_mug, 1.05, -0.66, facing=1.1, convex=False),
    "arch": Form(_arch, 1.16, -0.74, facing=0.85, convex=False),
    "moon": Form(_moon, 0.96, -0.95, facing=0.85, convex=False),
}


def lowest_point(form: Form, turn: Array) -> float:
    """Find the lowest point of a turned shape on a grid that is fine enough for a picture.

    Args:
        form: the shape.
        turn: rotation matrix (3, 3).

    Returns:
        The smallest z, in the shape's own units.
    """
    axis = np.linspace(-form.bound, form.bound, 28, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
    inside = grid[:, form.distance(grid) < 0.02]
    return float((turn @ inside)[2].min())
