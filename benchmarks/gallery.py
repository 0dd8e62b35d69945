"""Ten thousand pictures on Explore: filter, order, scrolling, first thumbnails and memory, in a real window, offscreen.

The pictures are drawn into a temporary folder, the thumbnails come from the real engine; the answers are invented, with
as many metrics as the real ones have, because what is measured here is the window. Beside the time that passed stands
that of the processor, which other work on the machine does not make longer.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import statistics
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from capt_engine import records as r
from capt_gui.bridge import Bridge, Job, real_engine
from capt_gui.main_window import MainWindow
from capt_gui.settings import CARDS, TABLE, Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import lay_out
from capt_gui.view_models.settings_keeper import SettingsKeeper

CLASSES = tuple(f"class {number}" for number in range(130))
ROWS_AT_ONCE = 50
LOOK_MS = 5


def resident_mb() -> float:
    """The memory that this process holds now."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def draw(folder: Path, n: int) -> None:
    """`n` JPEG files with as much in them as photographs have, in folders of 500; there are a hundred different ones."""
    chance = random.Random(0)
    drawn = []
    for _ in range(min(n, 100)):
        rough = Image.frombytes("RGB", (48, 36), chance.randbytes(48 * 36 * 3))
        file = io.BytesIO()
        rough.resize((320, 240), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
        drawn.append(file.getvalue())
    for number in range(n):
        path = folder / f"class {number % 20}" / f"picture-{number:05}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(drawn[number % len(drawn)])


def answer(
    path: str, chance: random.Random, metrics: tuple[r.MetricInfo, ...], classes: tuple[str, ...]
) -> r.PictureRow:
    """An invented row."""

    def verdict() -> r.Verdict:
        # in 32 bits, as models compute them
        logits = tuple(array("f", [chance.gauss(0, 1) for _ in classes]))
        weights = [2.718281828**one for one in logits]
        return r.Verdict(logits, tuple(one / sum(weights) for one in weights))

    return r.PictureRow(
        path, f"{chance.getrandbits(256):064x}", 320, 240, classes[0], "model", classes, verdict(), verdict(),
        r.AttackSpec(), 10, 1, r.ThreatModel(), 0, True, tuple((info.name, chance.random()) for info in metrics),
        True, False, 0.1, "photo", "none",
    )  # fmt: skip


def wait(until: Callable[[], bool], most_s: float = 600) -> float:
    """Let the window live until that holds; return the seconds that it took.

    The window sleeps between its events as a running one does; asking for events in a circle would take the time that is measured.
    """
    began = time.perf_counter()
    loop, look = QEventLoop(), QTimer(interval=LOOK_MS)

    def on_look() -> None:
        if until() or time.perf_counter() - began > most_s:
            loop.quit()

    look.timeout.connect(on_look)
    look.start()
    loop.exec()
    if not until():
        raise TimeoutError("the window did not get there")
    return time.perf_counter() - began


class Jobs(QObject):
    """The jobs of a bridge that have not ended, so that the model that the window loads at its start is not taken for the gallery's."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._open: set[r.JobId] = set()
        bridge.submitted.connect(self.on_submitted)
        bridge.heard.connect(self.on_heard)

    @property
    def are_done(self) -> bool:
        """True while nothing is under way."""
        return not self._open

    def on_submitted(self, job: Job) -> None:
        """Note a job."""
        self._open.add(job.id)

    def on_heard(self, job: Job, event: r.JobEvent) -> None:
        """Note the end of a job."""
        if isinstance(event, r.JobFinished | r.JobFailed | r.JobCancelled):
            self._open.discard(job.id)


class Watch:
    """Times pieces of work, by the clock and by the processor."""

    def __init__(self) -> None:
        self._passed: list[float] = []
        self._worked: list[float] = []

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.thread_time()

    def __exit__(self, *_: object) -> None:
        self._passed.append(time.perf_counter() - self._began[0])
        self._worked.append(time.thread_time() - self._began[1])

    def __str__(self) -> str:
        return f"{_spread(self._passed)} (processor: {_spread(self._worked)})"


def _spread(times: list[float]) -> str:
    """Median, 99th percentile and worst of times in seconds."""
    ordered = sorted(times)
    p99 = ordered[round(0.99 * (len(ordered) - 1))]
    return f"median {statistics.median(ordered) * 1e3:.1f}, p99 {p99 * 1e3:.1f}, worst {ordered[-1] * 1e3:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="pictures (default: 10000)")
    parser.add_argument("--classes", type=int, default=len(CLASSES), help="class names of an answer (default: 130)")
    args = parser.parse_args()
    app = QApplication([])
    settings = Settings(auto_run=False)
    bridge = Bridge(real_engine("cpu"))
    jobs = Jobs(bridge)
    desk = lay_out(bridge, settings, Theme(app, "light"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        draw(folder, args.n)
        window = MainWindow(desk, SettingsKeeper(settings, None), folder)
        window.resize(1280, 800)
        window.show()
        for _ in window.preparations():
            pass
        bridge.open()
        wait(lambda: desk.engine.is_ready)
        QTest.qWait(500)
        wait(lambda: jobs.are_done)
        before = resident_mb()
        print(f"{args.n} pictures, {args.classes} classes, {os.cpu_count()} cores, window 1280 × 800, offscreen")

        page, gallery, rows = window.page, desk.gallery, desk.rows
        worked = time.process_time()
        desk.analysis.drop([str(folder)])
        first = wait(lambda: gallery.rowCount() > 0 and gallery.items()[0].seen)
        page.gallery.view.viewport().repaint()
        print(
            f"from drop to the first thumbnails: {first:.2f} s (processor, all threads: {time.process_time() - worked:.2f} s)"
        )
        found = first + wait(lambda: gallery.rowCount() == args.n)
        print(f"all names after {found:.2f} s (processor: {time.process_time() - worked:.2f} s)")
        print(f"all thumbnails after {found + wait(lambda: not desk.analysis.is_running):.1f} s")

        chance = random.Random(0)
        metrics, classes = desk.engine.catalogue.metrics, CLASSES[: args.classes]
        asked = desk.choices.request(())
        asked = replace(asked, options=replace(asked.options, compare="capt"))
        paths, watch = gallery.paths(), Watch()
        for start in range(0, args.n, ROWS_AT_ONCE):
            some = [
                answer(path, chance, metrics, classes) for path in paths[start : start + ROWS_AT_ONCE] for _ in "ab"
            ]
            with watch:
                gallery.put_rows(some, asked)
                app.processEvents()
        print(f"taking {ROWS_AT_ONCE} answers of A and B, and painting: {watch}")

        for look in (CARDS, TABLE):
            page.gallery.set_look(look)
            page.on_look_changed(look)
            app.processEvents()
            view = page.gallery.view if look == CARDS else page.gallery.table
            bar, watch = view.verticalScrollBar(), Watch()
            for step in range(400):
                with watch:
                    bar.setValue(step * 24 if step < 200 else int(bar.maximum() * chance.random()))
                    view.viewport().repaint()
            print(f"{look}: scrolling and jumping, a frame: {watch}")
            page.gallery.search.setFocus()
            watch = Watch()
            for key in "picture-0042":
                with watch:
                    QTest.keyClicks(page.gallery.search, key)
                    app.processEvents()
            for _ in range(12):
                with watch:
                    QTest.keyClick(page.gallery.search, Qt.Key.Key_Backspace)
                    app.processEvents()
            print(f"{look}: a key in the search field, to the painted list: {watch}")
        watch = Watch()
        for key in ("name", "confidence.a", f"{metrics[0].name}.a", f"{metrics[-1].name}.b", "outcome.a", ""):
            with watch:
                rows.set_order(key, descending=True)
                app.processEvents()
        print(f"ordering by a column, to the painted table: {watch}")
        print(
            f"growth of memory: {resident_mb() - before:.0f} MB, from {before:.0f} MB with the model that the window starts with"
        )
        window.close()
        bridge.close(60)


if __name__ == "__main__":
    main()
