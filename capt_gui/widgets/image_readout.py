"""The line that reads out one pixel of a clean picture, its perturbation and the adversarial picture."""

from __future__ import annotations

from capt_engine.formatting import over_255, signed
from capt_engine.records import Picture, PictureSet, SignedPicture
from capt_gui.translate import tr

FIGURE_SPACE = "\u2007"
"""A space as wide as a figure, so that the line does not jump while the mouse moves."""


def pixel_line(pixel: tuple[int, int], seen: Picture, pictures: PictureSet | None) -> str:
    """Return place and values of a pixel (x, y), and its signed change in /255 where there was an attack."""
    x, y = pixel
    start = 3 * (y * seen.width + x)
    parts = [
        tr("x {}, y {}").format(_padded(x), _padded(y)),
        tr("seen {}").format(_three(seen.rgb, start)),
    ]
    if pictures is not None:
        change = pictures.perturbation
        values = (change.values[start + channel] for channel in range(3))
        shifts = " ".join(signed(_from_byte(value) / 127 * change.scale * 255) for value in values)
        parts.append(tr("change {} (/255)").format(shifts))
        parts.append(tr("adversarial {}").format(_three(pictures.adversarial.rgb, start)))
    return "  ·  ".join(parts)


def brief_line(pixel: tuple[int, int], seen: Picture, pictures: PictureSet | None) -> str:
    """Return place and values of a pixel (x, y) in few letters: "31, 31 · 99 116 207 → 98 115 206", the arrow where there was an attack."""
    x, y = pixel
    start = 3 * (y * seen.width + x)
    values = _three(seen.rgb, start)
    if pictures is not None:
        values = f"{values} → {_three(pictures.adversarial.rgb, start)}"
    return f"{_padded(x)}, {_padded(y)}  ·  {values}"


def facts(seen: Picture | None, pictures: PictureSet | None, *, brief: bool = False) -> tuple[str, str]:
    """Return the size of a picture in words, and the largest change of any value; "" for what there is not. brief: in few letters."""
    sizes, largest = tr("{} × {} pixels"), tr("largest change {}")
    if brief:
        sizes, largest = tr("{} × {} px"), tr("max. {}")
    size = sizes.format(seen.width, seen.height) if seen is not None else ""
    change = largest.format(over_255(_largest_change(pictures.perturbation))) if pictures else ""
    return size, change


def _padded(value: int) -> str:
    """At least three figures wide."""
    return str(value).rjust(3, FIGURE_SPACE)


def _three(rgb: bytes, start: int) -> str:
    return " ".join(_padded(value) for value in rgb[start : start + 3])


def _from_byte(value: int) -> int:
    """A byte read as signed."""
    return value - 256 if value > 127 else value


def _largest_change(change: SignedPicture) -> float:
    return max((abs(_from_byte(value)) for value in set(change.values)), default=0) / 127 * change.scale
