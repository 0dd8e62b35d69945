"""A window that is killed at any moment loses the last second of its session at most."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capt_engine.session import journal

# One thing happens every few milliseconds, as when somebody works: a picture comes with its right answer, one gets a tag, one goes.
_CHILD = """
import os, sys, time
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.session.autosave import Autosave
from capt_gui.view_models.session.disk import Disk
app = QCoreApplication([])
gallery, disk = GalleryModel(), Disk()
autosave = Autosave(gallery, disk, lambda: ({"n": count}, None), Path(sys.argv[1]))
count = 0
def step():
    global count
    gallery.set_labels({f"/p/{count}.png": f"label {count}"})
    gallery.add([f"/p/{count}.png"])
    if count:
        gallery.set_tags({f"/p/{count - 1}.png": (f"tag {count}",)})
    if count % 5 == 4:
        gallery.remove([f"/p/{count - 3}.png"])
    count += 1
    autosave.touch()
    print(count, time.monotonic(), flush=True)
timer = QTimer(interval=int(sys.argv[2]))
timer.timeout.connect(step)
timer.start()
app.exec()
"""


def expected(count: int) -> list[tuple[str, str, list[str]]]:
    """The pictures after so many steps: path, right answer, tags."""
    gone = {n - 3 for n in range(count) if n % 5 == 4}
    tags = [[f"tag {n + 1}"] if n + 1 < count else [] for n in range(count)]
    return [(f"/p/{n}.png", f"label {n}", tags[n]) for n in range(count) if n not in gone]


def killed(folder: Path, after_s: float, interval_ms: int) -> list[float]:
    """Let a window work, and kill it so long after its first step; the time of each of its steps."""
    command = [sys.executable, "-c", _CHILD, str(folder), str(interval_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(after_s)
        child.kill()
        lines = [first, *child.stdout.read().splitlines()]
    return [float(line.split()[1]) for line in lines if len(line.split()) == 2]


def survives(folder: Path, kills: int, most_s: float) -> None:
    """Kill so many windows; what each had done is in its journal, up to `most_s` seconds before its end."""
    draw = random.Random(kills)
    for number in range(kills):
        place = folder / f"{number}"
        times = killed(place, draw.uniform(0.05, 3.0), draw.choice((5, 20, 60)))
        (kept,) = journal.kept(place) or (None,)
        count = 0
        if kept is not None:
            assert kept.has_crashed
            session = journal.read(kept.path)
            count = int(str(session.state["n"]))
            found = [(one.path, one.facts["label"], one.facts["tags"]) for one in session.pictures]
            assert found == expected(count), f"kill {number}: the journal is of no one moment"
        lost_s = times[-1] - times[count - 1] if count else times[-1] - times[0]
        assert lost_s <= most_s, f"kill {number}: {lost_s:.2f} s were lost, {len(times) - count} of {len(times)} steps"


def test_two_kills_lose_nothing_but_the_last_moment(tmp_path: Path) -> None:
    """On a machine that others use too, the last moment may be longer."""
    survives(tmp_path, 2, 4.0)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_fifty_kills_lose_nothing_but_the_last_second(tmp_path: Path) -> None:
    """At drawn moments, with little and with much going on."""
    survives(tmp_path, 50, 1.0)
