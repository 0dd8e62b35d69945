"""The sample pictures that the window offers to a newcomer: a few scenes of the toy world, drawn larger."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from capt_engine.demo.domains import Subject
from capt_engine.demo.world import Scene, picture
from capt_engine.files import write_atomic

SIZE = 384

# The seeds were chosen by eye among the first few of each subject; none of these pairs is an unseen one.
_CHOSEN = (
    ("plain", "blue", "marble", "mug", 12),
    ("plain", "orange", "wood", "cube", 16),
    ("plain", "purple", "metal", "sphere", 18),
    ("plain", "cyan", "plastic", "arch", 17),
    # The look that the bundled prompts were tuned on: here they can show what they are good for.
    ("night", "yellow", "metal", "donut", 8),
    ("night", "red", "plastic", "heart", 20),
    ("night", "pink", "rubber", "star", 15),
    ("night", "green", "wood", "pyramid", 19),
    ("night", "orange", "plastic", "cone", 3),
    ("night", "green", "rubber", "cross", 1),
    ("night", "purple", "wood", "moon", 3),
    ("night", "red", "metal", "cylinder", 5),
)

SAMPLES: dict[str, Scene] = {
    f"{'' if domain == 'plain' else domain + '-'}{colour}-{material}-{shape}": Scene(
        Subject(shape, colour, material), domain, seed
    )
    for domain, colour, material, shape, seed in _CHOSEN
}


def write_samples(folder: Path) -> int:
    """Draw the sample pictures for newcomers into `folder` as PNG files of 384 × 384 pixels; return their number.

    Files of the same names are replaced.
    """
    for name, scene in SAMPLES.items():
        buffer = io.BytesIO()
        Image.fromarray(picture(scene, SIZE)).save(buffer, "PNG", optimize=True)
        write_atomic(folder / f"{name}.png", buffer.getvalue(), durable=False)
    return len(SAMPLES)
