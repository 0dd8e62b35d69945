"""Draws the pictures of README and guide from the real window, its real engine and two free photographs: `nox -s pictures`.

The photographs come with scikit-image: Chelsea the cat by Stéfan van der Walt and a cup of coffee by Rachel Michetti, both CC0.
They are read from that package each time and are not kept here; docs/images holds only the window's pictures.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# The pictures show what a first visit shows, whatever was computed here before.
os.environ["CAPT_NO_CACHE"] = "1"

import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QApplication

from capt_engine.files import write_atomic
from capt_engine.progress import no_progress
from capt_gui.bridge import Bridge, real_engine
from capt_gui.main_window import MainWindow
from capt_gui.settings import EvaluateSettings, Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.navigation import EVALUATE, EXPLORE
from capt_gui.view_models.settings_keeper import SettingsKeeper

FOLDER = Path(__file__).with_name("images")
SIZE = (1280, 800)
PHOTOGRAPHS = ("chelsea", "coffee")
# A picture of 256 colours is a third of the size; those of the window itself are kept as they are, photographs share the rest.
_COLOURS, _EXACT = 256, 96
_PATIENCE_S = 900.0


class Stage:
    """The window on its engine, and a camera."""

    def __init__(self, app: QApplication, scratch: Path) -> None:
        self._app = app
        settings = Settings(evaluate=EvaluateSettings(limit=0))
        self._bridge = Bridge(real_engine("cpu"))
        self.desk: Desk = lay_out(self._bridge, settings, Theme(app, "light"), scratch / "runs")
        self.window = MainWindow(self.desk, SettingsKeeper(settings, None), scratch)
        self.window.resize(*SIZE)
        self.window.show()
        self.window.prepare()
        self._bridge.open()
        self.until(lambda: self.desk.engine.is_ready)

    def until(self, done: Callable[[], bool]) -> None:
        """Let the window work until something is so; raises TimeoutError after a quarter of an hour."""
        start = time.monotonic()
        while not done():
            if time.monotonic() - start > _PATIENCE_S:
                raise TimeoutError("The window did not come to its result.")
            self.let_go_on(0.02)

    def let_go_on(self, seconds: float) -> None:
        """Let the window work for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._app.processEvents()
            time.sleep(0.01)

    def take(self, name: str, *looks: str) -> None:
        """Write a picture of the window in each of these looks, "light" or "dark", as NAME-LOOK.png."""
        for look in looks:
            self.desk.theme.set_choice(look)
            self.let_go_on(0.6)
            buffer = QBuffer()
            buffer.open(QIODevice.OpenModeFlag.WriteOnly)
            self.window.grab().save(buffer, "PNG")  # type: ignore[call-overload]  # the stub wants bytes, Qt takes str
            picture = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
            small = io.BytesIO()
            with_few_colours(picture).save(small, "PNG", optimize=True)
            write_atomic(FOLDER / f"{name}-{look}.png", small.getvalue())
            sys.stdout.write(f"{name}-{look}.png  {len(small.getvalue()) / 1000:.0f} kB\n")
        self.desk.theme.set_choice("light")

    def close(self) -> None:
        """Close the window and its engine."""
        self.window.close()
        self._bridge.close()


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


def photographs(folder: Path) -> list[str]:
    """Write the photographs of scikit-image into `folder`, and return their paths."""
    from skimage import data

    folder.mkdir()
    for name in PHOTOGRAPHS:
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    return [str(folder / f"{name}.png") for name in PHOTOGRAPHS]


def explore(stage: Stage, paths: list[str]) -> None:
    """Take the Explore page with the photographs, as a first start shows them."""
    stage.window.open_paths(paths)
    stage.until(lambda: stage.desk.gallery.item(paths[-1]) is not None)
    stage.until(lambda: not stage.desk.analysis.is_running)
    stage.take("explorer", "light", "dark")


def toy_world(stage: Stage) -> None:
    """Take the look at the toy world: plain text beside tuned prompts."""
    stage.window.page.on_clear()
    learned: list[object] = []
    stage.desk.tour.learned.connect(learned.append)
    stage.desk.tour.start()
    stage.until(lambda: bool(learned))
    stage.take("toy-world", "light", "dark")


def evaluate(stage: Stage, scratch: Path) -> None:
    """Take the Evaluate page with four labelled pictures of each class of the toy world, plain text beside tuned prompts."""
    from capt_engine.demo.class_folders import write_class_folders

    data = stage.desk.evaluation.data
    write_class_folders(scratch / "night pictures", "shapes", "test", "night", 4, 0, no_progress)
    stage.window.show_page(EVALUATE)
    data.take([str(scratch / "night pictures")])
    stage.until(lambda: data.result is not None and not data.is_running)
    stage.desk.evaluation.run.start()
    stage.until(lambda: stage.desk.evaluation.run.result is not None)
    stage.take("evaluate", "light")
    stage.window.show_page(EXPLORE)


def main() -> None:
    """Draw all pictures."""
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(app, Path(folder))
        explore(stage, photographs(Path(folder) / "photographs"))
        toy_world(stage)
        evaluate(stage, Path(folder))
        stage.close()


if __name__ == "__main__":
    main()
