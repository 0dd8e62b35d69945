"""The live charts of a run: accuracy on the validation pictures, terms of the loss, α and its distribution, learning rate."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from capt_engine.records import ALPHA_BINS, Share, TuneEpoch, TuneStep
from capt_gui.theme import Theme
from capt_gui.view_models.distributions import share_histogram
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.widgets.card import Card
from capt_gui.widgets.histogram_chart import HistogramChart
from capt_gui.widgets.line_chart import Level, Line, LineChart


class RunCharts(QWidget):
    """Four charts of the run, drawn again when the run has something new, a few times a second at most."""

    def __init__(self, theme: Theme, run: TuneRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = run
        step, epoch = self.tr("step"), self.tr("epoch")
        self.accuracy = LineChart(
            theme,
            self.tr("Right on the validation pictures"),
            epoch,
            self.tr("accuracy"),
            self.tr("Clean and under attack, with 95 % intervals, after each epoch."),
            share=True,
        )
        self.loss = LineChart(
            theme,
            self.tr("Terms of the loss"),
            step,
            self.tr("nats"),
            self.tr("Being right, and being consistent, in nats, at each step."),
        )
        self.alpha = LineChart(
            theme,
            self.tr("α: how much the untouched model guides"),
            step,
            "α",
            self.tr(
                "Near 1 an attacked picture is pulled to the answer of the untouched model, near 0 to that of the tuned one. The mean over "
                "the batch, and where 80 % of it lie."
            ),
        )
        self.alphas = HistogramChart(
            theme,
            self.tr("α of the pictures of this epoch"),
            self.tr("Each picture of the newest epoch counts once, by its α."),
        )
        self.lr = LineChart(
            theme, self.tr("Learning rate"), step, self.tr("learning rate"), self.tr("How far each step goes.")
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(10)
        self.all = (self.accuracy, self.loss, self.alpha, self.alphas, self.lr)
        # two charts above, three below: six columns; what one looks for is in the upper row
        for number, chart in enumerate(self.all):
            row, wide = (0, 3) if number < 2 else (1, 2)
            grid.addWidget(Card(chart, 8), row, wide * (number - 2 * row), 1, wide)
            grid.setRowStretch(row, 3 - row)
        for column in range(6):
            grid.setColumnStretch(column, 1)
        run.drawn.connect(self.on_drawn)
        self.on_drawn()

    def on_drawn(self) -> None:
        """Draw the charts of accuracy, loss, α and learning rate again, with all steps and epochs of the run so far."""
        run = self._run
        steps, epochs = run.steps, run.epochs
        last = steps[-1].step if steps else 0
        self._draw_accuracy(epochs)
        # steps are numbered through the run; a run that goes on begins its charts where it was
        end = float(max(run.progress.total, last)) if steps else 0.0
        xs = tuple(float(one.step) for one in steps)
        self.loss.set_lines(
            (
                Line(self.tr("cross-entropy"), "text", xs, _of(steps, "cross_entropy")),
                Line(self.tr("train consistency"), "clean", xs, _of(steps, "train"), style=Qt.PenStyle.DashLine),
                Line(
                    self.tr("reference consistency"), "attacked", xs, _of(steps, "reference"), style=Qt.PenStyle.DotLine
                ),
            ),
            end=end,
        )
        band = (_of(steps, "alpha_p10"), _of(steps, "alpha_p90"))
        self.alpha.set_lines((Line(self.tr("mean"), "accent", xs, _of(steps, "alpha_mean"), *band),), end=end)
        self._draw_alphas(steps)
        self.lr.set_lines((Line(self.tr("rate"), "text_muted", xs, _of(steps, "lr")),), end=end)

    def _draw_alphas(self, steps: Sequence[TuneStep]) -> None:
        epoch = steps[-1].epoch if steps else 0
        batches = [one.alpha_counts for one in steps if one.epoch == epoch and one.alpha_counts]
        counts = [sum(column) for column in zip(*batches, strict=True)]
        if not any(counts):
            self.alphas.set_histogram(None)
            return
        edges = [number / ALPHA_BINS for number in range(ALPHA_BINS + 1)]
        histogram = share_histogram(self.tr("α in epoch {}").format(epoch), "α", edges, counts)
        self.alphas.set_histogram(
            histogram, ((self.tr("epoch"), f"{epoch}"), (self.tr("pictures"), f"{sum(counts):,}"))
        )

    def _draw_accuracy(self, epochs: Sequence[TuneEpoch]) -> None:
        plain = self._run.plain
        levels = []
        if plain is not None and plain.clean is not None:
            levels.append(Level(self.tr("plain text, clean"), "clean", plain.clean.value))
        if plain is not None and plain.robust is not None:
            levels.append(Level(self.tr("plain text, attacked"), "attacked", plain.robust.value))
        drawn = [plain, *epochs] if plain is not None else [*epochs]
        lines = (
            _share_line(self.tr("clean"), "clean", [(one.epoch, one.clean) for one in drawn]),
            _share_line(self.tr("under attack"), "attacked", [(one.epoch, one.robust) for one in drawn]),
        )
        self.accuracy.set_lines(lines, tuple(levels), end=float(drawn[-1].epochs if drawn else 0))


def _of(steps: Sequence[TuneStep], name: str) -> tuple[float, ...]:
    return tuple(float(getattr(one, name)) for one in steps)


def _share_line(name: str, role: str, shares: list[tuple[int, Share | None]]) -> Line:
    there = [(float(epoch), share) for epoch, share in shares if share is not None]
    return Line(
        name,
        role,
        tuple(epoch for epoch, _ in there),
        tuple(share.value for _, share in there),
        tuple(share.low for _, share in there),
        tuple(share.high for _, share in there),
        marks=True,
    )
