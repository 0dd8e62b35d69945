"""The sample pictures that the window offers to a newcomer: a few scenes of the toy world, drawn larger."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from capt_engine.demo.domains import Pixels, Subject
from capt_engine.demo.world import Scene, picture

SIZE = 384

# The seeds were chosen by eye among the first few of each subject; none of these pairs is an unseen one.
SAMPLES: dict[str, Scene] = {
    f"{colour}-{material}-{shape}": Scene(Subject(shape, colour, material), "plain", seed)
    for colour, material, shape, seed in (
        ("yellow", "metal", "donut", 8),
        ("red", "plastic", "heart", 20),
        ("blue", "marble", "mug", 12),
        ("orange", "wood", "cube", 16),
        ("purple", "metal", "sphere", 18),
        ("pink", "rubber", "star", 15),
        ("cyan", "plastic", "arch", 17),
        ("green", "wood", "pyramid", 19),
    )
}


def draw_samples() -> Iterator[tuple[str, Pixels]]:
    """Each sample's file name and its picture `(384, 384, 3)`."""
    for name, scene in SAMPLES.items():
        yield f"{name}.png", picture(scene, SIZE)


def write_samples(folder: Path) -> int:
    """Writes the samples as PNG files, each replaced whole; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, pixels in draw_samples():
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
        partial = folder / f"{file_name}.part"
        partial.write_bytes(buffer.getvalue())
        partial.replace(folder / file_name)
    return len(SAMPLES)
