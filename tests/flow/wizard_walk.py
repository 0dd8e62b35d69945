"""The wizard on the real engine, walked to where tuning can start; as a program it tunes until somebody ends it.

python -m tests.flow.wizard_walk PICTURES PROJECTS EPOCHS
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QApplication
from safetensors import safe_open

from capt_engine.demo import world
from capt_gui.bridge import Bridge, real_engine
from capt_gui.pages.tune.page import TunePage
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import lay_out
from capt_gui.view_models.tune.state import METHOD, SPLIT

PATIENCE_S = 120
CLASSES, PICTURES = 3, 6

Wait = Callable[[Callable[[], bool]], None]


def draw_toys(home: Path) -> Path:
    """Six pictures of each of three classes of the toy world."""
    task = world.TASKS["shapes"]
    for row, name in enumerate(task.classes[:CLASSES]):
        (home / name).mkdir(parents=True)
        for number in range(PICTURES):
            scene = world.scene("shapes", "test", row + number * len(task.classes), "plain", 0)
            Image.fromarray(world.picture(scene)).save(home / name / f"{number}.png")
    return home


def open_page(app: QApplication, projects: Path, runs: Path) -> TunePage:
    """The page on an engine of its own, as a start of the program opens it; `page.desk.bridge` is to be closed in the end."""
    bridge = Bridge(real_engine("cpu"))
    desk = lay_out(bridge, Settings(model="demo"), Theme(app, "light"), runs_folder=runs, projects_folder=projects)
    page = TunePage(desk)
    page.resize(1280, 800)
    page.show()
    bridge.open()
    return page


def walk_to_method(page: TunePage, pictures: Path, wait: Wait, epochs: int = 2) -> None:
    """Steps 1 and 2, and settings so small that the rest takes seconds."""
    tuning = page.desk.tuning
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(pictures))])
    assert page.take(mime)
    wait(lambda: page.step.may_continue)
    page.on_next()
    wait(lambda: page.step is page.steps[SPLIT])
    tuning.project.change(shots=2, test_share=0.4, val_share=0.2, test_steps=5)
    wait(lambda: tuning.split.is_current)
    page.on_next()
    wait(lambda: page.step is page.steps[METHOD])
    tuning.project.change(settings=(("epochs", epochs), ("attack_steps", 1), ("batch_size", 4)))


def tensors(path: Path) -> dict[str, bytes]:
    """What a checkpoint holds, byte for byte."""
    with safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118 (no mapping)


def main(pictures: Path, projects: Path, epochs: int) -> None:
    """Tune, and say "epoch N" after each; whoever started this ends it."""
    app = QApplication([])
    page = open_page(app, projects, projects.parent / "runs")

    def wait(there: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < end, "it took too long"
            app.processEvents()
            time.sleep(0.005)

    walk_to_method(page, pictures, wait, epochs)
    wait(lambda: page.step.may_continue)
    page.on_next()
    run = page.desk.tuning.run
    told: list[int] = []

    def tell() -> None:
        for epoch in run.epochs[len(told) :]:
            told.append(epoch.epoch)
            sys.stdout.write(f"epoch {epoch.epoch}\n")
            sys.stdout.flush()

    run.progressed.connect(tell)
    run.start()
    app.exec()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
