"""Renders one object on a ground plane by marching rays through its signed distance field, in float32 numpy.

Only rays that meet the object's bounding sphere are marched, and only points whose light ray comes near it are tested
for shadow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capt_engine.demo.shapes import Array, Form
from capt_engine.demo.textures import FINISHES, Ground, albedo, ground_colour

_HIT = 0.0016
# Rays that graze an edge need many steps; only large pictures are looked at closely enough to show the difference.
_MARCH_STEPS, _MARCH_STEPS_LARGE, _LARGE = 56, 200, 400
_SHADOW_STEPS = 22
# Half shadows are looked for this many bounding radii from the centre, and fade out on the way there.
_PENUMBRA = 1.6


@dataclass(frozen=True)
class Setting:
    """The whole description of a picture; directions are unit vectors, colours linear RGB, lengths in world units."""

    form: Form
    material: str
    colour: Array
    texture_shift: Array
    turn: Array
    scale: float
    centre: Array
    lumps: float
    eye: Array
    target: Array
    roll: float
    half_view: float
    light: Array
    light_colour: Array
    shadow_sharpness: float
    sky: Array
    horizon: Array
    ground: Ground
    pool: float


@dataclass(frozen=True)
class Buffers:
    """A rendered frame before development: linear colour and normal (h, w, 3), depth and object mask (h, w)."""

    colour: Array
    depth: Array
    normal: Array
    is_object: NDArray[np.bool_]


def _unit(v: Array) -> Array:
    return np.asarray(v / np.sqrt((v * v).sum(axis=0)), dtype=np.float32)


def _rays(setting: Setting, size: int) -> Array:
    """Unit directions `(3, size * size)` through the middles of the pixels."""
    forward = _unit(setting.target - setting.eye)
    right = _unit(np.cross(forward, np.array([0, 0, 1], dtype=np.float32)).astype(np.float32))
    up = np.cross(right, forward).astype(np.float32)
    cosine, sine = np.float32(np.cos(setting.roll)), np.float32(np.sin(setting.roll))
    right, up = cosine * right + sine * up, cosine * up - sine * right
    middles = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    axis = middles * np.float32(setting.half_view)
    x, y = np.tile(axis, size), np.repeat(-axis, size)
    through = forward[:, None] + right[:, None] * x + up[:, None] * y
    return _unit(np.asarray(through, dtype=np.float32))


class _Body:
    """The object as the marcher sees it: its own frame, its distance, and its bounding sphere."""

    def __init__(self, setting: Setting) -> None:
        self._form, self._lumps = setting.form, np.float32(setting.lumps)
        self._turn, self._scale, self._centre = setting.turn, np.float32(setting.scale), setting.centre
        self.bound = np.float32(setting.form.bound + 2 * setting.lumps)
        self._caution = np.float32(1 / (1 + 7 * setting.lumps))

    def inward(self, points: Array) -> Array:
        """World points `(3, n)` in the object's frame and scale."""
        return np.asarray(self._turn.T @ ((points - self._centre[:, None]) / self._scale), dtype=np.float32)

    def turned(self, directions: Array) -> Array:
        """World directions in the object's frame."""
        return np.asarray(self._turn.T @ directions, dtype=np.float32)

    def outward(self, directions: Array) -> Array:
        """Directions of the object's frame in the world."""
        return np.asarray(self._turn @ directions, dtype=np.float32)

    def distance(self, p: Array) -> Array:
        """Signed distance at object points, lumps included."""
        d = self._form.distance(p)
        if self._lumps > 0:
            q = p * np.float32(4.3)
            d = d + self._lumps * np.sin(q[0] + 1.3) * np.sin(q[1] * 1.2 + 0.4) * np.sin(q[2] * 1.1 + 2.1)
            d = d * self._caution
        return np.asarray(d, dtype=np.float32)

    def normal(self, p: Array) -> Array:
        """Unit normals `(3, n)` by four samples at a tetrahedron's corners."""
        h = np.float32(0.003)
        total = np.zeros_like(p)
        for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            k = np.array(corner, dtype=np.float32)[:, None]
            total += k * self.distance(p + k * h)
        return _unit(total + np.float32(1e-12))

    def span(self, origin: Array, direction: Array, margin: float = 1.0) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Distances at which rays enter and leave the bounding sphere, and a mask of the rays that meet it."""
        b = (origin * direction).sum(axis=0)
        inside = b * b - (origin * origin).sum(axis=0) + (self.bound * np.float32(margin)) ** 2
        root = np.sqrt(np.maximum(inside, 0))
        return -b - root, -b + root, (inside > 0) & (root - b > 0)

    def first_hits(self, origin: Array, directions: Array, steps: int) -> tuple[NDArray[np.int64], Array]:
        """Indices of the rays that meet the object, and at which distance."""
        start, end, meets = self.span(origin[:, None], directions)
        index = np.flatnonzero(meets)
        t, last, d = np.maximum(start[index], 0), end[index], directions[:, index]
        found: list[NDArray[np.int64]] = []
        depth: list[Array] = []
        for step in range(steps):
            gap = self.distance(origin[:, None] + d * t)
            t = t + gap
            hit = gap < _HIT
            if step % 2 == 1 or step == steps - 1:
                found.append(index[hit])
                depth.append(t[hit])
                alive = ~hit & (t < last)
                index, t, last, d = index[alive], t[alive], last[alive], d[:, alive]
                if index.size == 0:
                    break
        return np.concatenate(found), np.concatenate(depth)

    def light_through(self, points: Array, light: Array, sharpness: float) -> Array:
        """Share of a light (object frame) that reaches object-frame points: 0 in full shadow, 1 in the open."""
        direction = light[:, None]
        start, end, meets = self.span(points, direction, _PENUMBRA)
        share = np.ones(points.shape[1], dtype=np.float32)
        index = np.flatnonzero(meets)
        p, t, last = points[:, index], np.maximum(start[index], 0.03), end[index]
        open_share = np.ones(index.size, dtype=np.float32)
        for step in range(_SHADOW_STEPS):
            gap = self.distance(p + direction * t)
            open_share = np.minimum(open_share, sharpness * gap / (t + 0.25))
            t = t + np.clip(gap, 0.03, 0.3)
            if step % 3 == 2 or step == _SHADOW_STEPS - 1:
                alive = (open_share > 0.004) & (t < last)
                share[index[~alive]] = open_share[~alive]
                share[index] = np.minimum(share[index], open_share)
                index, p, t, last, open_share = index[alive], p[:, alive], t[alive], last[alive], open_share[alive]
                if index.size == 0:
                    break
        along = (points * direction).sum(axis=0)
        beside = np.sqrt(np.maximum((points * points).sum(axis=0) - along * along, 0)) / self.bound
        share = np.clip(np.maximum(share, (beside - 1) / np.float32(_PENUMBRA - 1)), 0, 1)
        return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)


def _surroundings(setting: Setting, directions: Array) -> Array:
    """Colours that a mirror sees: ground below, horizon, sky above, the key light as a soft box and a strip across from it."""
    z = directions[2]
    up = np.clip(z * 1.4, 0, 1)
    sky = setting.horizon[:, None] * (1 - up) + setting.sky[:, None] * up
    # A darker band above the horizon and a bright ceiling give curved metal its contrast.
    sky = sky * (0.45 + 1.75 * np.clip(z * 1.15 - 0.1, 0, 1))
    below = np.clip(-z * 7 + 0.15, 0, 1)
    floor = (0.5 * (setting.ground.light + setting.ground.dark) * (0.35 + 0.4 * setting.light_colour.mean()))[:, None]
    # Darker towards straight down: there the object stands in its own shade.
    seen = sky * (1 - below) + floor * (1.1 - 0.9 * np.clip(-z, 0, 1)) * below
    facing = (directions * setting.light[:, None]).sum(axis=0)
    box = np.clip((facing - 0.86) / 0.06, 0, 1)
    across = np.array([-setting.light[0], -setting.light[1], 0.25], dtype=np.float32)
    strip = np.clip(((directions * _unit(across)[:, None]).sum(axis=0) - 0.9) / 0.05, 0, 1)
    return np.asarray(seen + setting.light_colour[:, None] * (2.0 * box + 0.7 * strip), dtype=np.float32)


def _shade_object(setting: Setting, body: _Body, world: Array, view: Array) -> tuple[Array, Array]:
    local = body.inward(world)
    own = body.normal(local)
    normal = body.outward(own)
    finish = FINISHES[setting.material]
    base = albedo(setting.material, setting.colour, local, setting.texture_shift)
    facing = np.maximum((normal * setting.light[:, None]).sum(axis=0), 0)
    lit = facing
    if not setting.form.convex:
        bright = np.flatnonzero(facing > 0)
        light = body.turned(setting.light[:, None])[:, 0]
        lifted = local[:, bright] + own[:, bright] * np.float32(0.02)
        lit = facing.copy()
        lit[bright] *= body.light_through(lifted, light, setting.shadow_sharpness)
    # Occlusion: by the object itself (two probes along the normal) and by the ground it stands on.
    occlusion = np.ones(local.shape[1], dtype=np.float32)
    if not setting.form.convex:
        for reach, weight in ((0.09, 2.2), (0.26, 1.2)):
            occlusion -= weight * np.maximum(reach - body.distance(local + own * np.float32(reach)), 0)
        occlusion = np.clip(occlusion, 0.25, 1)
    near_ground = np.clip(world[2] / 0.5, 0, 1)
    occlusion = occlusion * (0.55 + 0.45 * np.maximum(near_ground, np.clip(normal[2] + 0.4, 0, 1)))
    up = 0.5 + 0.5 * normal[2]
    floor = 0.5 * (setting.ground.light + setting.ground.dark) * (0.25 + 0.35 * setting.light_colour.mean())
    ambient = (setting.sky[:, None] * up + floor[:, None] * (1 - up)) * occlusion
    light = setting.light_colour[:, None]
    colour = finish.diffuse * base * (light * lit + ambient)
    mirrored = view - 2 * (view * normal).sum(axis=0) * normal
    fresnel = (1 - np.clip(-(view * normal).sum(axis=0), 0, 1)) ** 4
    mirror = finish.mirror + (finish.rim - finish.mirror) * fresnel
    tint = base if finish.tinted else np.float32(1)
    if finish.mirror > 0:
        colour = colour + tint * mirror * _surroundings(setting, mirrored) * (0.4 + 0.6 * occlusion)
    else:
        colour = colour + mirror * setting.sky[:, None] * occlusion
    half = _unit(setting.light[:, None] - view)
    shine = np.maximum((half * normal).sum(axis=0), 0) ** finish.sharpness * (lit > 0) * np.minimum(lit * 4, 1)
    return np.asarray(colour + tint * finish.highlight * light * shine, dtype=np.float32), normal


def _shade_ground(setting: Setting, body: _Body, world: Array, distance: Array) -> Array:
    base = ground_colour(setting.ground, world[0], world[1])
    local = body.inward(world)
    light = body.turned(setting.light[:, None])[:, 0]
    lit = np.maximum(setting.light[2], 0) * body.light_through(local, light, setting.shadow_sharpness)
    # Contact shade: the closer the object is to a ground point, the less sky that point sees.
    occlusion = np.ones(world.shape[1], dtype=np.float32)
    near = np.flatnonzero((local * local).sum(axis=0) < (body.bound + 0.8) ** 2)
    if near.size:
        up = body.turned(np.array([[0], [0], [1]], dtype=np.float32))
        shade = np.zeros(near.size, dtype=np.float32)
        for reach, weight in ((0.08, 0.9), (0.3, 0.8), (0.7, 0.4)):
            gap = body.distance(local[:, near] + up * np.float32(reach))
            shade += weight * np.clip(1 - gap / reach, 0, 1.3)
        occlusion[near] = np.clip(1 - 0.42 * shade, 0.12, 1)
    light_pool = np.float32(1)
    if setting.pool > 0:
        away = (world[0] - setting.centre[0]) ** 2 + (world[1] - setting.centre[1]) ** 2
        light_pool = np.exp(-away / np.float32(setting.pool**2))
    colour = base * (setting.light_colour[:, None] * lit * light_pool + setting.sky[:, None] * occlusion)
    haze = 1 - np.exp(-((distance / 15) ** 2))
    return np.asarray(colour + (setting.horizon[:, None] - colour) * haze, dtype=np.float32)


def render(setting: Setting, size: int) -> Buffers:
    """Render a setting with one ray per pixel; a caller that wants smooth edges renders larger and shrinks.

    Args:
        setting: the object, its ground, the light and the camera.
        size: the side of the frame in rays.

    Returns:
        Linear colour and unit normals (size, size, 3), depth in world units and the mask of the object (size, size).
    """
    directions = _rays(setting, size)
    body = _Body(setting)
    count = directions.shape[1]
    colour = np.empty((3, count), dtype=np.float32)
    depth = np.full(count, 40, dtype=np.float32)
    normal = np.zeros((3, count), dtype=np.float32)
    is_object = np.zeros(count, dtype=np.bool_)
    up = np.clip(directions[2] * 2.5, 0, 1)
    colour[:] = setting.horizon[:, None] * (1 - up) + setting.sky[:, None] * up

    eye = body.inward(setting.eye[:, None])[:, 0]
    steps = _MARCH_STEPS if size < _LARGE else _MARCH_STEPS_LARGE
    hits, reach = body.first_hits(eye, body.turned(directions), steps)
    depth[hits] = reach * np.float32(setting.scale)
    is_object[hits] = True
    world = setting.eye[:, None] + directions[:, hits] * depth[hits]
    colour[:, hits], normal[:, hits] = _shade_object(setting, body, world, directions[:, hits])

    floor = np.flatnonzero(~is_object & (directions[2] < -0.02))
    depth[floor] = -setting.eye[2] / directions[2, floor]
    world = setting.eye[:, None] + directions[:, floor] * depth[floor]
    colour[:, floor] = _shade_ground(setting, body, world, depth[floor])
    normal[2, floor] = 1
    frame = (size, size)
    return Buffers(
        np.ascontiguousarray(colour.T).reshape(*frame, 3),
        depth.reshape(frame),
        np.ascontiguousarray(normal.T).reshape(*frame, 3),
        is_object.reshape(frame),
    )
