"""The pictures of README and guide: steps of the tour on photographs and in the toy world, `nox -s pictures`.

They are no tests, and only a run that names this file comes here. The photographs come with scikit-image and are read from there each
time: Chelsea the cat and a clock by Stéfan van der Walt, a cup of coffee by Rachel Michetti, a man with a camera by Lav Varshney; CC0 or
in the public domain. docs/images, or the folder in CAPT_TOUR_PICTURES, gets the window's pictures only.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from guest import Guest
from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QApplication

from capt_engine.files import write_atomic
from capt_gui.settings import EvaluateSettings, Settings
from capt_gui.view_models.navigation import EVALUATE, EXPLORE

FOLDER = Path(os.environ.get("CAPT_TOUR_PICTURES") or Path(__file__).parents[2] / "docs" / "images")
# a photograph takes its time where there is no GPU
pytestmark = pytest.mark.timeout(3600)
# what each of scikit-image's photographs shows
PHOTOGRAPHS = {"chelsea": "cat", "coffee": "espresso", "camera": "tripod", "clock": "clock"}
# crops beside the whole of a photograph: the side as a share of it, and the place of the corner as a share of what is left
CROPS = tuple((side, across, down) for side in (0.9, 0.8) for across, down in ((0.2, 0.3), (0.8, 0.3), (0.5, 0.8)))
# A picture of 256 colours is a third of the size; those of the window itself are kept as they are, photographs share the rest.
_COLOURS, _EXACT = 256, 96


@pytest.fixture(scope="module")
def visitor(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """Somebody on a first visit: the usual settings, and nothing computed before."""
    # set before the engine starts, so that the pictures show what a first visit shows
    os.environ["CAPT_NO_CACHE"] = "1"
    guest = Guest(qapp, tmp_path_factory.mktemp("pictures"), Settings(evaluate=EvaluateSettings(limit=0)))
    yield guest
    guest.leave()
    del os.environ["CAPT_NO_CACHE"]


def take(guest: Guest, name: str, *looks: str) -> None:
    """Write a picture of the window in each of these looks, "light" or "dark", as NAME-LOOK.png."""
    guest.settle()
    for look in looks:
        guest.desk.theme.set_choice(look)
        guest.rest()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        guest.window.grab().save(buffer, "PNG")  # type: ignore[call-overload]  # the stub wants bytes, Qt takes str
        picture = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
        small = io.BytesIO()
        with_few_colours(picture).save(small, "PNG", optimize=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        write_atomic(FOLDER / f"{name}-{look}.png", small.getvalue())
        sys.stdout.write(f"{name}-{look}.png  {len(small.getvalue()) / 1000:.0f} kB\n")
    guest.desk.theme.set_choice("light")


def with_few_colours(picture: Image.Image) -> Image.Image:
    """Return the picture with its most frequent colours unchanged, and each of the others as the nearest of all that are kept."""
    counted = sorted(picture.getcolors(picture.width * picture.height) or [], reverse=True)
    exact = [colour for _, colour in counted[:_EXACT]]
    others = np.reshape(picture.quantize(_COLOURS - _EXACT).getpalette() or [], (-1, 3))
    kept = np.concatenate((np.array(exact), others))[:_COLOURS]
    every, places = np.unique(np.asarray(picture, np.int32).reshape(-1, 3), axis=0, return_inverse=True)
    distances = np.stack([((every - one) ** 2).sum(axis=1) for one in kept])
    levels = distances.argmin(axis=0)[places].astype(np.uint8).reshape(picture.height, picture.width)
    drawn = Image.fromarray(levels)
    drawn.putpalette(kept.astype(np.uint8).tobytes())
    return drawn


def photograph(name: str) -> Image.Image:
    """One of scikit-image's photographs."""
    data = pytest.importorskip("skimage.data")
    return Image.fromarray(getattr(data, name)()).convert("RGB")


def test_photographs_on_explore(visitor: Guest, tmp_path: Path) -> None:
    """Two photographs are dropped, as on a first visit; the last of them is looked at."""
    paths = [tmp_path / f"{name}.png" for name in ("coffee", "chelsea")]
    for path in paths:
        photograph(path.stem).save(path)
    visitor.drop(*paths)
    visitor.until(lambda: visitor.desk.gallery.rowCount() == 2)
    visitor.settle()
    visitor.window.page.gallery.view.select_path(str(paths[1]))
    take(visitor, "explorer", "light", "dark")


def test_photographs_are_evaluated(visitor: Guest, tmp_path: Path) -> None:
    """A folder for each class, with a photograph and crops of it, is dropped on Evaluate and run."""
    folder = tmp_path / "photographs"
    for name, label in PHOTOGRAPHS.items():
        whole = photograph(name)
        (folder / label).mkdir(parents=True)
        whole.save(folder / label / f"{name}.png")
        for number, (side, across, down) in enumerate(CROPS, 1):
            width, height = round(side * whole.width), round(side * whole.height)
            left, top = round(across * (whole.width - width)), round(down * (whole.height - height))
            whole.crop((left, top, left + width, top + height)).save(folder / label / f"{name}-{number}.png")
    data, run = visitor.desk.evaluation.data, visitor.desk.evaluation.run
    visitor.window.show_page(EVALUATE)
    visitor.drop(folder)
    visitor.until(lambda: data.result is not None and not data.is_running)
    visitor.click("Run")
    visitor.until(lambda: run.result is not None)
    take(visitor, "evaluate", "light")


def test_the_toy_world(visitor: Guest) -> None:
    """The look at the toy world: plain text beside tuned prompts, at the picture that tells most."""
    learned: list[object] = []
    visitor.desk.tour.learned.connect(learned.append)
    visitor.window.show_page(EXPLORE)
    if visitor.desk.gallery.rowCount():
        visitor.choose("File", "Clear the gallery")
    visitor.choose("File", "Try the toy world")
    visitor.until(lambda: bool(learned))
    take(visitor, "toy-world", "light", "dark")
