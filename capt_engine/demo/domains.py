"""The stages and cameras of scenes: the pre-training look `plain`, and the domains kept out of pre-training."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from capt_engine.demo.render import Buffers, Setting, render
from capt_engine.demo.shapes import FORMS, Array, lowest_point
from capt_engine.demo.textures import GROUNDS, Ground, noise

Pixels = NDArray[np.uint8]

DOMAINS = ("plain", "night", "sketch", "fog", "clay", "tumbled", "film")

PALETTE = {
    "red": (206, 26, 30),
    "orange": (248, 112, 8),
    "yellow": (250, 208, 20),
    "green": (36, 152, 52),
    "cyan": (26, 194, 208),
    "blue": (28, 72, 208),
    "purple": (116, 44, 178),
    "pink": (250, 116, 176),
}


@dataclass(frozen=True)
class Subject:
    """The subject of a picture: its shape, colour and material, without how it is staged."""

    shape: str
    colour: str
    material: str


def _linear(srgb: tuple[float, float, float]) -> Array:
    return np.asarray((np.array(srgb, dtype=np.float32) / 255) ** 2.2, dtype=np.float32)


def _vector(x: float, y: float, z: float) -> Array:
    return np.array([x, y, z], dtype=np.float32)


def _direction(azimuth: float, elevation: float) -> Array:
    return _vector(np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation))


def _yaw(angle: float) -> Array:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]], dtype=np.float32)


def _toppling(rng: Generator) -> Array:
    """A turn by 15 to 50 degrees about a level axis, as a quaternion's matrix."""
    direction, half = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(15, 50)) / 2
    w, x, y, z = np.cos(half), np.cos(direction) * np.sin(half), np.sin(direction) * np.sin(half), 0.0
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ],
        dtype=np.float32,
    )


def _soft_colour(rng: Generator, low: float, high: float, saturation: float) -> Array:
    """A muted colour: a grey between low and high, leaning towards a random hue."""
    hue = rng.uniform(0, 2 * np.pi)
    lean = np.cos(hue - np.array([0, 2.094, 4.189])) * saturation
    return np.asarray(rng.uniform(low, high) * (1 + lean), dtype=np.float32)


def _ground(rng: Generator) -> Ground:
    kind = GROUNDS[int(rng.integers(len(GROUNDS)))]
    light = _soft_colour(rng, 0.3, 0.72, 0.16)
    contrast = rng.uniform(0.45, 0.8)
    dark = np.asarray(light * contrast, dtype=np.float32)
    if kind == "planks":
        light = np.asarray(_vector(0.5, 0.33, 0.2) * rng.uniform(0.75, 1.25), dtype=np.float32)
        dark = np.asarray(light * _vector(0.5, 0.45, 0.4), dtype=np.float32)
    elif kind == "sand":
        light = np.asarray(_vector(0.66, 0.52, 0.36) * rng.uniform(0.75, 1.1), dtype=np.float32)
        dark = np.asarray(light * 0.62, dtype=np.float32)
    shift = rng.uniform(-8, 8, 2).astype(np.float32)
    return Ground(kind, light, dark, float(rng.uniform(0, np.pi)), shift, float(rng.uniform(0.8, 1.5)))


def stage(subject: Subject, rng: Generator) -> Setting:
    """Draw random camera, light, ground and pose for a subject in the domain "plain", and return the setting to render.

    subject: the shape, colour and material. rng: the source of the draws; the same state of it gives the same setting.
    """
    form = FORMS[subject.shape]
    azimuth = rng.uniform(0, 2 * np.pi)
    elevation = np.radians(rng.uniform(12, 40))
    distance = rng.uniform(5.0, 6.4)
    scale = float(rng.uniform(0.86, 1.1))
    # A plate that shows its back is as good as its front, so half of them do.
    turn = rng.uniform(-form.facing, form.facing) + np.pi * rng.integers(2)
    pose = _yaw(azimuth + turn)
    centre = _vector(rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25), -form.rest * scale)
    target = _vector(rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25), 0.72 + rng.uniform(-0.18, 0.18))
    away = _direction(azimuth, elevation)
    side = rng.uniform(0.35, 1.9) * (1 if rng.random() < 0.5 else -1)
    light = _direction(azimuth + side, np.radians(rng.uniform(32, 62)))
    warmth = rng.uniform(-0.08, 0.08)
    strength = rng.uniform(1.15, 1.55)
    sky = np.asarray(_soft_colour(rng, 0.42, 0.6, 0.05) * _vector(0.95, 1.0, 1.06), dtype=np.float32)
    tinge = np.exp(rng.normal(0, 0.04, 3))
    ground = _ground(rng)
    return Setting(
        form=form,
        material=subject.material,
        colour=np.asarray(_linear(PALETTE[subject.colour]) * tinge * rng.uniform(0.88, 1.1), dtype=np.float32),
        texture_shift=rng.uniform(0, 32, 3).astype(np.float32),
        turn=pose,
        scale=scale,
        centre=centre,
        lumps=0.0,
        eye=np.asarray(target + away * distance, dtype=np.float32),
        target=target,
        roll=float(np.radians(rng.normal(0, 2.5))),
        half_view=float(rng.uniform(0.27, 0.32)),
        light=light,
        light_colour=np.asarray(strength * _vector(1 + warmth, 1, 1 - warmth), dtype=np.float32),
        shadow_sharpness=float(rng.uniform(3.5, 9)),
        sky=sky,
        horizon=np.asarray(0.6 * ground.light + 0.5 * sky + 0.08, dtype=np.float32),
        ground=ground,
        pool=0.0,
    )


def _restage(setting: Setting, domain: str, rng: Generator) -> Setting:
    """Change the setting as a domain wants it before the picture is taken."""
    if domain == "night":
        cold = _vector(0.5, 0.72, 1.25)
        lamp = _vector(1.0, 0.74, 0.42) if rng.random() < 0.5 else _vector(0.62, 0.8, 1.2)
        sky = np.asarray(setting.sky * cold * 0.36, dtype=np.float32)
        return replace(
            setting,
            light_colour=np.asarray(lamp * rng.uniform(0.9, 1.5), dtype=np.float32),
            sky=sky,
            horizon=np.asarray(sky * 1.6, dtype=np.float32),
            pool=float(rng.uniform(1.8, 3.2)),
            shadow_sharpness=11.0,
        )
    if domain == "clay":
        return replace(setting, material="clay", lumps=float(rng.uniform(0.075, 0.115)), shadow_sharpness=4.0)
    if domain == "tumbled":
        turn = np.asarray(_toppling(rng) @ setting.turn, dtype=np.float32)
        rest = lowest_point(setting.form, turn)
        centre = setting.centre.copy()
        centre[2] = -rest * setting.scale
        return replace(setting, turn=turn, centre=centre)
    return setting


def _shrink(rays: Array, samples: int) -> Array:
    """The mean over each block of samples × samples rays of `(h, w, 3)` or `(h, w)`."""
    side = rays.shape[0] // samples
    blocks = rays.reshape(side, samples, side, samples, -1).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(blocks if rays.ndim == 3 else blocks[..., 0], dtype=np.float32)


def _develop(light: Array) -> Array:
    """Linear light to display values in [0, 1]: a soft shoulder, then the display's gamma."""
    value = np.maximum(light, 0)
    value = value * (1 + value / 9) / (1 + value * 0.62) * np.float32(1.12)
    value = np.clip(value, 0, 1) ** np.float32(1 / 2.2)
    return np.asarray(value + np.float32(0.35) * (value - 0.5) * value * (1 - value), dtype=np.float32)


def _grain(rng: Generator, side: int, strength: float) -> Array:
    return np.asarray(rng.standard_normal((side, side, 1), dtype=np.float32) * np.float32(strength))


def _blurred(image: Array, radius: float) -> Array:
    """Gaussian blur of `(h, w, 3)` in [0, 1]."""
    eight = Image.fromarray(np.uint8(np.clip(image, 0, 1) * 255 + 0.5))
    return np.asarray(eight.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / np.float32(255)


def _edges(frame: Buffers) -> Array:
    """Find the lines that a pencil would draw, rims and creases, as `(h, w)` in [0, 1]."""
    inside = frame.is_object.astype(np.float32)
    features = np.concatenate([frame.normal * inside[..., None], inside[..., None] * 2], axis=2)
    change = np.zeros_like(inside)
    for axis in (0, 1):
        step = np.abs(np.diff(features, axis=axis)).max(axis=2)
        pad = ((0, 1), (0, 0)) if axis == 0 else ((0, 0), (0, 1))
        change = np.maximum(change, np.pad(step, pad))
    return np.asarray(np.clip((change - 0.12) / 0.3, 0, 1), dtype=np.float32)


def _sketch(frame: Buffers, samples: int, rng: Generator) -> Array:
    """Coloured pencil on paper: outlines, two directions of hatching for shade, and a thin wash of colour."""
    side = frame.colour.shape[0]
    tone = _develop(frame.colour)
    grey = tone.mean(axis=2)
    # Strokes are spaced in picture widths, so a larger drawing of the same scene has the same strokes.
    v, u = (np.mgrid[0:side, 0:side].astype(np.float32) + np.float32(0.5)) / side
    wobble = noise(np.stack([u.ravel() * 7, v.ravel() * 7, np.full(u.size, rng.uniform(0, 30), dtype=np.float32)]))
    wobble = (wobble.reshape(side, side) - 0.5) * np.float32(0.9)
    angle = rng.uniform(0.5, 1.0)
    marks = np.zeros_like(grey)
    for turn, threshold in ((angle, 0.74), (angle + 1.5, 0.5)):
        phase = (u * np.cos(turn) + v * np.sin(turn)) * 46 + wobble
        stroke = np.clip(1.3 - np.abs(phase - np.floor(phase) - 0.5) * 5.2, 0, 1)
        marks = np.maximum(marks, stroke * np.clip((threshold - grey) * 3.2, 0, 0.75))
    inside = frame.is_object[..., None]
    paper = np.float32(0.95) - _grain(rng, side, 0.012) + np.array([0.02, 0.01, -0.03], dtype=np.float32)
    wash = np.where(inside, paper * 0.62 + tone * 0.38, paper * 0.93 + tone * 0.07)
    ink = np.maximum(_edges(frame) * 0.85, marks * np.where(inside[..., 0], 1, 0.55))[..., None]
    drawing = wash * (1 - ink) + np.array([0.17, 0.17, 0.2], dtype=np.float32) * ink
    return _shrink(np.asarray(drawing, dtype=np.float32), samples)


def _fog(frame: Buffers, samples: int, rng: Generator) -> Array:
    veil = np.asarray(rng.uniform(0.6, 0.75) * np.array([0.96, 1.0, 1.04]), dtype=np.float32)
    share = 1 - np.exp(-((frame.depth / np.float32(rng.uniform(7.0, 9.5))) ** 2))
    share = np.clip(share, 0, 0.94)[..., None]
    image = _develop(_shrink(frame.colour * (1 - share) + veil * share, samples))
    return _blurred(image, image.shape[0] * 0.006) + _grain(rng, image.shape[0], 0.008)


def _film(image: Array, rng: Generator) -> Array:
    side = image.shape[0]
    grey = image @ np.array([0.3, 0.59, 0.11], dtype=np.float32)
    sepia = grey[..., None] * _vector(1.02, 0.9, 0.7) + _vector(0.06, 0.04, 0.02)
    faded = _blurred(0.3 * image + 0.7 * sepia, side * 0.009) * 0.86 + 0.07
    coarse = rng.standard_normal((48, 48), dtype=np.float32)
    grain = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    return np.asarray(faded + grain[..., None] * 0.05 + _grain(rng, side, 0.035), dtype=np.float32)


def photograph(subject: Subject, domain: str, rng: Generator, size: int, samples: int = 2) -> Pixels:
    """Draw a picture of a subject with random camera, light, ground and pose, in the look of a domain.

    Args:
        subject: its shape, colour and material.
        domain: one of DOMAINS.
        rng: the source of the draws; the same state of it gives the same picture.
        size: the side of the picture in pixels.
        samples: rays along each side of a pixel.

    Returns:
        RGB, uint8 (size, size, 3).
    """
    setting = _restage(stage(subject, rng), domain, rng)
    frame = render(setting, size * samples)
    if domain == "sketch":
        image = _sketch(frame, samples, rng)
    elif domain == "fog":
        image = _fog(frame, samples, rng)
    else:
        image = _develop(_shrink(np.minimum(frame.colour, 3), samples))
        radius = np.linspace(-1, 1, size, dtype=np.float32) ** 2
        image = image * (1 - 0.07 * (radius[:, None] + radius[None, :]))[..., None]
        if domain == "night":
            image = image + _grain(rng, size, 0.02) * np.array([0.9, 0.9, 1.2], dtype=np.float32)
        elif domain == "film":
            image = _film(image, rng)
        else:
            image = image + _grain(rng, size, 0.006)
    return (np.clip(image, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
