"""How long the window's charts take to paint and to follow the mouse: median and 99th percentile, in milliseconds.

Tables of shares of 10, 50 and 200 classes, whole and looked at closely, and a chart of three lines of 5,000 steps; painted offscreen,
unless QT_QPA_PLATFORM says otherwise. Beside the time that passed stands the processor time of the window's own thread, which other
programs on a busy machine do not lengthen. What follows the mouse is the move of the mouse and the painting that it asks for.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from capt_gui.theme import Theme
from capt_gui.widgets.heat_map import HeatMap
from capt_gui.widgets.line_chart import Line, LineChart
from capt_gui.widgets.plot_chart import PlotChart

_PICTURES = 20


def matrix(theme: Theme, n: int, rng: random.Random) -> HeatMap:
    """A matrix of n classes with some pictures each, of which 60 % are right."""
    counts: dict[tuple[int, int], int] = {}
    for label in range(n):
        for _ in range(_PICTURES):
            cell = (label, label if rng.random() < 0.6 else rng.randrange(n))
            counts[cell] = counts.get(cell, 0) + 1
    grid = HeatMap(theme, "Labels against answers")
    names = [f"class number {number}" for number in range(n)]

    def show() -> None:
        shares = [
            [counts[row, column] / _PICTURES if (row, column) in counts else math.nan for column in range(n)]
            for row in range(n)
        ]
        grid.set_cells(
            names, names, shares,
            text=lambda row, column: str(counts.get((row, column), "")),
            words=lambda row, column: f"{names[row]}: {counts.get((row, column), 0)} called {names[column]}",
            role=lambda row, column: "ok" if row == column else "broken",
        )  # fmt: skip

    grid.resize(900, 700)
    show()
    times = measured(show, 20)
    print(f"{f'{n} classes, counted again':<42} {times}")
    grid.resize(900, grid.sizeHint().height())
    return grid


def lines(theme: Theme, rng: random.Random) -> LineChart:
    """Three noisy lines."""
    chart = LineChart(theme, "Terms of the loss", "step", "y", "")
    xs = tuple(float(step) for step in range(1, 5001))

    def noisy(start: float) -> tuple[float, ...]:
        return tuple(start * math.exp(-x / 2000) + abs(rng.gauss(0, 0.06)) for x in xs)

    shown = tuple(
        Line(name, role, xs, noisy(start))
        for name, role, start in (("a", "text", 1.6), ("b", "clean", 0.5), ("c", "attacked", 0.9))
    )
    chart.resize(560, 300)
    chart.set_lines(shown)
    print(f"{'3 lines of 5,000 steps, drawn again':<42} {measured(lambda: chart.set_lines(shown), 20)}")
    return chart


def measured(work: Callable[[], object], rounds: int) -> str:
    """The times of some rounds, after three that do not count."""
    passed, worked = [], []
    for _ in range(rounds + 3):
        started_s, began_s = time.perf_counter(), time.thread_time()
        work()
        passed.append(1000 * (time.perf_counter() - started_s))
        worked.append(1000 * (time.thread_time() - began_s))
    cuts = [statistics.quantiles(times[3:], n=100) for times in (passed, worked)]
    return " ".join(f"{cut[49]:8.2f} {cut[98]:8.2f}" for cut in cuts)


def follow(chart: PlotChart, rng: random.Random) -> None:
    """Move the mouse somewhere on the plot, and let what that changed be painted."""
    rect = chart.plot_rect()
    spot = rect.topLeft() + QPointF(rng.random() * rect.width(), rng.random() * rect.height())
    none = Qt.MouseButton.NoButton
    QCoreApplication.sendEvent(
        chart, QMouseEvent(QEvent.Type.MouseMove, spot, spot, none, none, Qt.KeyboardModifier.NoModifier)
    )
    QApplication.processEvents()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    rounds = parser.parse_args().rounds
    app = QApplication([])
    theme, rng = Theme(app, "light"), random.Random(0)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
        if hasattr(os, "getloadavg")
        else f"{os.cpu_count()} cores"
    )
    print(f"{'milliseconds':<42} {'passed':>17} {'processor':>17}")
    print(f"{'':<42} {'median':>8} {'p99':>8} {'median':>8} {'p99':>8}")
    for n in (10, 50, 200):
        grid = matrix(theme, n, rng)
        measure(grid, f"{n} classes", rounds, rng)
        for factor in (4, 12, 30) if n == 200 else ():
            grid.reset_zoom()
            grid.zoom(factor)
            measure(grid, f"{n} classes, {factor} times as large", rounds, rng)
        grid.close()
    measure(lines(theme, rng), "3 lines of 5,000 steps", rounds, rng)


def measure(chart: PlotChart, name: str, rounds: int, rng: random.Random) -> None:
    """Print one line for painting, one for following the mouse."""
    chart.show()
    QApplication.processEvents()
    print(f"{name + ', painted':<42} {measured(chart.grab, rounds)}")
    print(f"{name + ', followed the mouse':<42} {measured(lambda: follow(chart, rng), rounds)}")


if __name__ == "__main__":
    main()
