"""The common corruptions of Hendrycks & Dietterich (2019, arXiv 1903.12261), one line each: fifteen and four held out, five severities.

Written anew from the paper's descriptions, with constants of our own: figures are not comparable with those on ImageNet-C. They are
applied to the picture as the model sees it; lengths follow its shorter side. Random ones draw from the picture's own stream, the same
for every severity, so a picture's snow only thickens.
"""

from __future__ import annotations

from capt_engine.attacks.corruptions.base import SEVERITIES, Corruption
from capt_engine.attacks.corruptions.blur import defocus_blur, gaussian_blur, glass_blur, motion_blur, zoom_blur
from capt_engine.attacks.corruptions.digital import contrast, elastic, jpeg, pixelate, saturate
from capt_engine.attacks.corruptions.noise import gaussian_noise, impulse_noise, shot_noise, speckle_noise
from capt_engine.attacks.corruptions.weather import brightness, fog, frost, snow, spatter
from capt_engine.records import AttackSpec
from capt_engine.registry import Table


def _levels(*values: float) -> tuple[tuple[float, ...], ...]:
    return tuple((value,) for value in values)


CORRUPTIONS = Table(
    "corruption",
    Corruption("gaussian-noise", "Gaussian noise", "noise", gaussian_noise, _levels(0.06, 0.1, 0.16, 0.24, 0.36)),
    Corruption("shot-noise", "Shot noise", "noise", shot_noise, _levels(80, 36, 16, 8, 4)),
    Corruption("impulse-noise", "Impulse noise", "noise", impulse_noise, _levels(0.02, 0.05, 0.09, 0.16, 0.26)),
    Corruption("defocus-blur", "Defocus blur", "blur", defocus_blur, _levels(2.4, 3.4, 4.8, 6.8, 9.2)),
    Corruption("glass-blur", "Glass blur", "blur", glass_blur, ((1.5, 1), (2, 1), (2, 2), (3, 2), (4, 3))),
    Corruption("motion-blur", "Motion blur", "blur", motion_blur, _levels(8, 13, 19, 27, 38)),
    Corruption("zoom-blur", "Zoom blur", "blur", zoom_blur, _levels(1.08, 1.14, 1.2, 1.28, 1.38)),
    Corruption(
        "snow",
        "Snow",
        "weather",
        snow,
        (
            (0.02, 0.7, 5, 0.15),
            (0.04, 0.8, 6, 0.25),
            (0.07, 0.9, 8, 0.35),
            (0.11, 1.0, 10, 0.45),
            (0.16, 1.2, 12, 0.55),
        ),
    ),
    Corruption("frost", "Frost", "weather", frost, _levels(0.2, 0.35, 0.5, 0.65, 0.8)),
    Corruption("fog", "Fog", "weather", fog, ((0.4, 0.5), (0.65, 0.5), (0.95, 0.55), (1.35, 0.55), (1.9, 0.6))),
    Corruption("brightness", "Brightness", "weather", brightness, _levels(0.08, 0.16, 0.25, 0.35, 0.48)),
    Corruption("contrast", "Contrast", "digital", contrast, _levels(0.6, 0.45, 0.32, 0.2, 0.1)),
    Corruption("elastic", "Elastic", "digital", elastic, _levels(1.5, 2.5, 3.5, 5, 7)),
    Corruption("pixelate", "Pixelate", "digital", pixelate, _levels(0.5, 0.4, 0.31, 0.23, 0.16)),
    Corruption("jpeg", "JPEG", "digital", jpeg, _levels(32, 20, 14, 10, 7)),
    Corruption("speckle-noise", "Speckle noise", "noise", speckle_noise, _levels(0.12, 0.2, 0.3, 0.45, 0.65), True),
    Corruption("gaussian-blur", "Gaussian blur", "blur", gaussian_blur, _levels(1, 1.7, 2.6, 3.8, 5.5), True),
    Corruption("spatter", "Spatter", "weather", spatter, ((0.08, 0), (0.15, 0), (0.24, 0), (0.3, 1), (0.42, 1)), True),
    Corruption("saturate", "Saturate", "digital", saturate, _levels(1.6, 2.2, 3, 5, 10), True),
)


def corruption_specs(
    *, held_out: bool = False, severities: tuple[int, ...] = (1, 2, 3, 4, 5)
) -> tuple[AttackSpec, ...]:
    """List the fifteen corruptions, or with `held_out` all nineteen, as attacks: one for each of `severities` (1 to 5)."""
    return tuple(
        AttackSpec("corruption", (("kind", one.name), ("severity", severity)))
        for one in CORRUPTIONS
        if held_out or not one.held_out
        for severity in severities
    )


__all__ = ["CORRUPTIONS", "SEVERITIES", "Corruption", "corruption_specs"]
