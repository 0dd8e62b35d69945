"""How far the attack moved the score of each class."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.figures import MINUS, signed
from capt_gui.widgets.shift_plot import ShiftBar, ShiftPlot

_ALL_UP_TO = 20
_LARGEST = 12


class LogitShiftChart(QWidget):
    """Bars of attacked minus clean logit per class, with a read-out line above."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bars: tuple[ShiftBar, ...] = ()
        self._note = ""
        self._plot = ShiftPlot(theme)
        self._plot.pointed_at.connect(self._on_pointed_at)
        self._order = QToolButton()
        self._order.setCheckable(True)
        self._order.setChecked(True)
        self._order.setIconSize(QSize(16, 16))
        self._order.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._order.setAccessibleName(self.tr("Largest shift first"))
        self._order.setToolTip(self.tr("Largest shift first; otherwise in the order of the list"))
        self._order.toggled.connect(self._show_bars)
        self._readout = ElidedLabel()
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._readout, 1)
        top.addWidget(self._order)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._plot, 1)
        theme.changed.connect(self._retint)
        self._retint()
        self.clear()

    def prepare(self) -> None:
        """Load the plotting library now (some 0.5 s), so that the first result need not wait for it."""
        self._plot.prepare()

    def set_shift(
        self, classes: tuple[str, ...], clean_logits: tuple[float, ...], attacked_logits: tuple[float, ...]
    ) -> None:
        """Show one picture's shift; of many classes only the largest, and both winners."""
        shown = range(len(classes))
        winners = (_highest(clean_logits), _highest(attacked_logits))
        if len(classes) > _ALL_UP_TO:
            by_size = sorted(shown, key=lambda index: -abs(attacked_logits[index] - clean_logits[index]))
            kept = sorted({*by_size[:_LARGEST], *winners})
            self._note = self.tr("the {} largest of {} classes, and both answers").format(_LARGEST, len(classes))
        else:
            kept = list(shown)
            self._note = ""
        self._bars = tuple(
            ShiftBar(
                classes[index], clean_logits[index], attacked_logits[index], index == winners[0], index == winners[1]
            )
            for index in kept
        )
        self._order.setEnabled(True)
        self._show_bars()

    def clear(self) -> None:
        """Show the empty state."""
        self._bars = ()
        self._note = ""
        self._order.setEnabled(False)
        self._show_bars()

    def shown(self) -> tuple[str, ...]:
        """The classes shown, from the top."""
        return tuple(bar.name for bar in self._plot.bars())

    def readout(self) -> str:
        """The line above the chart."""
        return self._readout.text()

    @Slot()
    def _show_bars(self) -> None:
        by_size = self._order.isChecked()
        bars = sorted(self._bars, key=lambda bar: -abs(bar.shift)) if by_size else self._bars
        self._plot.set_bars(tuple(bars))
        self._on_pointed_at(-1)

    @Slot()
    def _retint(self) -> None:
        self._order.setIcon(self._theme.icon("sort"))

    @Slot(int)
    def _on_pointed_at(self, row: int) -> None:
        bars = self._plot.bars()
        if 0 <= row < len(bars):
            bar = bars[row]
            before, after = (f"{value:.2f}".replace("-", MINUS) for value in (bar.clean, bar.attacked))
            self._readout.set_text(f"{bar.name}: {before} → {after}  ({signed(bar.shift)})")
        else:
            legend = self.tr("● clean  ◆ attacked")
            self._readout.set_text((self._note or legend) if bars else "")


def _highest(logits: tuple[float, ...]) -> int:
    return logits.index(max(logits))
