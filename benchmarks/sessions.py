"""How long a session of many pictures takes to save and to open, and for how long autosave holds the window, in milliseconds.

Two sets of prompts are compared on 10,000 pictures that lie on disk, each with a thumbnail and its results over 50 classes, behind an
engine that does nothing. Saved and opened three times: the median. Autosave: the longest step on the window's own thread while
the pictures come in 200 at a time, and the time until the last of them is in the journal. Beside the time that passed stands the processor
time of the process, which other programs on a busy machine do not lengthen. The collection of garbage is off: it would stop whatever
the window does just then.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from capt_engine import records as r
from capt_engine.files import sha256
from capt_gui.bridge import Bridge, Door
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.session.autosave import Autosave
from capt_gui.view_models.session.session_model import SessionModel

_CLASSES = tuple(f"class number {number}" for number in range(50))
_SIDE, _THUMBNAIL = 64, (160, 120)
_TIMES = 3


class Idle:
    """An engine that does nothing."""

    def __init__(self, _: Callable[[r.Event], None]) -> None:
        self._count = 0

    def submit(self, _: r.Request) -> r.JobId:
        """Number the request."""
        self._count += 1
        return r.JobId(self._count)

    def cancel(self, job: r.JobId) -> None:
        """Do nothing."""

    stop = pause = resume = cancel

    def close(self, timeout_s: float = 10.0) -> bool:  # noqa: ARG002  # the door's own signature
        """Do nothing."""
        return True


def idle_engine(on_event: Callable[[r.Event], None]) -> Door:
    """Make the engine that does nothing."""
    return Idle(on_event)


def verdict(rng: random.Random) -> r.Verdict:
    """An answer over all classes."""
    return r.Verdict(tuple(rng.gauss(0, 5) for _ in _CLASSES), tuple(rng.random() / 50 for _ in _CLASSES))


def rows(path: str, digest: str, rng: random.Random) -> tuple[r.PictureRow, r.PictureRow]:
    """Results of A and of B for one picture."""
    metrics = tuple((name, rng.random()) for name in ("agreement", "kl", "js", "cosine", "psnr", "ssim", "linf", "l2"))
    noise = rng.randbytes(3 * _SIDE * _SIDE)
    seen = r.Picture(_SIDE, _SIDE, noise)
    pictures = r.PictureSet(seen, r.SignedPicture(_SIDE, _SIDE, 4 / 255, noise), seen)
    a = r.PictureRow(
        path, digest, 640, 480, "class number 0", "model", _CLASSES, verdict(rng), verdict(rng), r.AttackSpec(), 10, 1,
        r.ThreatModel(), 0, rng.random() < 0.5, metrics, True, False, 0.1, "demo", "none", pictures,
    )  # fmt: skip
    return a, replace(a, clean=verdict(rng), attacked=verdict(rng), prompt_id="toy-capt")


def fill(desk: Desk, files: list[tuple[str, str]], rng: random.Random, then: Callable[[], object]) -> None:
    """Let pictures, thumbnails and results come as an engine sends them; `then` is called after each batch."""
    options = r.RunOptions(model="demo", compare="toy-capt", with_pictures=True)
    request = r.AnalyzeRequest((), options=options)
    for start in range(0, len(files), 200):
        some = files[start : start + 200]
        desk.gallery.add([path for path, _ in some])
        width, height = _THUMBNAIL
        noise = rng.randbytes(3 * width)
        small = r.Picture(width, height, noise * height)
        desk.gallery.put_previews([r.Preview(path, 640, 480, small) for path, _ in some])
        desk.gallery.put_rows([row for path, digest in some for row in rows(path, digest, rng)], request)
        then()


def wait(until: Callable[[], bool]) -> None:
    """Let the window work until something is so."""
    while not until():
        QCoreApplication.processEvents()
        time.sleep(0.001)


def timed(work: Callable[[], object], until: Callable[[], bool]) -> tuple[float, float]:
    """Return the seconds, and the processor's seconds, until a work is done."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    work()
    wait(until)
    return time.perf_counter() - began_s, time.process_time() - began_cpu_s


def said(what: str, times: list[tuple[float, float]]) -> None:
    """Print the medians."""
    passed, cpu = (statistics.median(one) for one in zip(*times, strict=True))
    print(f"{what:<50} {passed:6.2f} s   processor {cpu:6.2f} s")


def step(what: str, autosave: Autosave) -> None:
    """Print the longest step of autosave."""
    passed, work = autosave.longest_step_s * 1000, autosave.longest_work_s * 1000
    print(f"{what:<50} {passed:6.1f} ms  of the window's thread {work:6.1f} ms")


def main() -> None:
    """Make the pictures, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    n = parser.parse_args().pictures
    gc.disable()
    app = QApplication([])
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        files = []
        for number in range(n):
            path = home / f"{number:05}.bin"
            path.write_bytes(rng.randbytes(2000))
            files.append((str(path), sha256(path)))
        bridge = Bridge(idle_engine)
        desk = lay_out(bridge, Settings(model="demo"), Theme(app, "light"))
        bridge.open()
        session = SessionModel(desk, home / "journals", lambda: ("explore", {}))
        autosave = session.autosave

        def is_idle() -> bool:
            return not session.is_at_work and not session.is_busy

        took = timed(lambda: fill(desk, files, rng, QCoreApplication.processEvents), is_idle)
        print(f"{n:,} pictures came in {took[0]:.1f} s, the journal's part among it")
        step("autosave: longest step while they came", autosave)
        place = home / "session.capt"
        said("saved", [timed(lambda: session.save(str(place)), lambda: not session.is_busy) for _ in range(_TIMES)])
        print(f"{'size of the file':<50} {place.stat().st_size / 2**20:6.1f} MiB")
        opened = []
        for _ in range(_TIMES):
            session.new()
            wait(is_idle)
            opened.append(
                timed(lambda: session.open(str(place)), lambda: not session.is_busy and desk.gallery.rowCount() == n)
            )
            wait(is_idle)
        said("opened", opened)
        step("autosave: longest step, all in all", autosave)
        session.close()
        bridge.close()


if __name__ == "__main__":
    main()
