"""A chart of how far the attack moved the logit of each class, for one set of prompts or for two."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QHBoxLayout, QLayout, QVBoxLayout, QWidget

from capt_engine.formatting import MINUS, signed
from capt_engine.records import Bar, BarChart
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.layout import fill
from capt_gui.widgets.shift_plot import ShiftBar, ShiftPlot
from capt_gui.widgets.side_badge import SIDES
from capt_gui.widgets.side_pair import SidePair

Logits = tuple[tuple[float, ...], tuple[float, ...]]

_ALL_UP_TO = 20
_LARGEST = 12


class LogitShiftChart(QWidget):
    """Bars of attacked minus clean logit per class, with a read-out line above."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[tuple[ShiftBar, ...], ...] = ()
        self._note = ""
        self._plots = (ShiftPlot(theme), ShiftPlot(theme))
        self._pair = SidePair(theme, *self._plots)
        self._order = IconButton(theme, "sort", self.tr("Largest shift first; otherwise in the order of the list"))
        self._order.setCheckable(True)
        self._order.setChecked(True)
        self._order.setAccessibleName(self.tr("Largest shift first"))
        self._order.toggled.connect(self._show_bars)
        self._readout = ElidedLabel()
        top = fill(QHBoxLayout(), (self._readout, 1), self._order, spacing=12)
        layout = fill(QVBoxLayout(self), top, (self._pair, 1))
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        for plot in self._plots:
            plot.pointed_at.connect(self._on_pointed_at)
        self.clear()

    def preparations(self) -> Iterator[None]:
        """Load the plotting library and make the empty plots, one each time the next is asked for, so that no first result waits for it."""
        for plot in self._plots:
            plot.prepare()
            yield

    def set_shift(
        self, classes: tuple[str, ...], clean_logits: tuple[float, ...], attacked_logits: tuple[float, ...]
    ) -> None:
        """Show how far the attack moved the logit of each class, from one picture's clean and attacked logits.

        Of more than 20 classes only the 12 that moved most and both answers are shown.
        """
        self._show(classes, ((clean_logits, attacked_logits),), ("", ""))

    def set_pair(self, classes: tuple[str, ...], a: Logits, b: Logits, names: tuple[str, str]) -> None:
        """Show the logit shifts of two variants (models with their prompts), A and B, with the same classes and scale.

        a, b: (clean logits, attacked logits), in the order of `classes`. names: of the two variants.
        """
        self._show(classes, (a, b), names)

    def clear(self) -> None:
        """Remove all bars and show the text of the empty state."""
        self._show((), (), ("", ""))

    def shown(self) -> tuple[str, ...]:
        """Return the names of the classes shown, from the top."""
        return tuple(bar.name for bar in self._plots[0].bars())

    def record(self) -> BarChart | None:
        """Return the shown shifts as the values of a bar chart, for saving it to a file; None while there are none."""
        sides = [plot.bars() for plot in self._plots if plot.bars()]
        bars = tuple(
            Bar(bar.name, bar.shift, series=number)
            for row in zip(*sides, strict=True)
            for number, bar in enumerate(row)
        )
        series = tuple(side.upper() for side in SIDES) if len(sides) > 1 else ()
        caption, axis = self.tr("Logit shift"), self.tr("logit under attack − clean")
        shifts = "; ".join(f"{bar.name} {signed(bar.value)}" for bar in bars)
        alt = f"{caption}: {shifts}."
        return BarChart(caption, bars, alt, percent=False, series=series, x_title=axis) if bars else None

    def readout(self) -> str:
        """Return the line above the chart: the logits of the class pointed at, or a legend; "" for an empty chart."""
        return self._readout.text()

    def _show(self, classes: tuple[str, ...], sides: tuple[Logits, ...], names: tuple[str, str]) -> None:
        kept = self._kept(len(classes), sides)
        self._sides = tuple(
            tuple(
                ShiftBar(classes[i], clean[i], attacked[i], i == _highest(clean), i == _highest(attacked)) for i in kept
            )
            for clean, attacked in sides
        )
        self._pair.name_sides(*names)
        self._order.setEnabled(bool(sides))
        self._show_bars()

    def _kept(self, count: int, sides: tuple[Logits, ...]) -> list[int]:
        """All classes where they are few; else those that moved most on any side, and every answer."""
        self._note = ""
        if count <= _ALL_UP_TO:
            return list(range(count))
        self._note = self.tr("the {} largest of {} classes, and both answers").format(_LARGEST, count)
        by_size = sorted(range(count), key=lambda i: -max(abs(attacked[i] - clean[i]) for clean, attacked in sides))
        answers = (_highest(logits) for side in sides for logits in side)
        return sorted({*by_size[:_LARGEST], *answers})

    def _show_bars(self) -> None:
        sides = self._sides
        order = list(range(len(sides[0]) if sides else 0))
        if self._order.isChecked():
            order.sort(key=lambda row: -max(abs(bars[row].shift) for bars in sides))
        every = [bar.shift for bars in sides for bar in bars]
        for number, plot in enumerate(self._plots):
            bars = sides[number] if number < len(sides) else ()
            plot.set_bars(tuple(bars[row] for row in order if bars), (min(every, default=0), max(every, default=0)))
        self._on_pointed_at(-1)

    def _on_pointed_at(self, row: int) -> None:
        for plot in self._plots:
            plot.mark(row)
        pointed = [plot.bars()[row] for plot in self._plots if 0 <= row < len(plot.bars())]
        if not pointed:
            legend = self.tr("● clean  ◆ attacked")
            self._readout.set_text((self._note or legend) if self._sides else "")
        elif len(pointed) == 1:
            self._readout.set_text(f"{pointed[0].name}: {_figures(pointed[0])}")
        else:
            a, b = (_figures(bar) for bar in pointed)
            self._readout.set_text(f"{pointed[0].name}: A {a} · B {b}")


def _figures(bar: ShiftBar) -> str:
    before, after = (f"{value:.2f}".replace("-", MINUS) for value in (bar.clean, bar.attacked))
    return f"{before} → {after}  ({signed(bar.shift)})"


def _highest(logits: tuple[float, ...]) -> int:
    return logits.index(max(logits))
