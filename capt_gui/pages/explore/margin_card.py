"""The margin of the chosen picture's answer by budget ε, with the smallest one that flips it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.formatting import measured_budget
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.layout import fill
from capt_gui.widgets.line_chart import Level, Line
from capt_gui.widgets.marked_line_chart import MarkedLineChart

_CHART_HEIGHT = 108


class MarginCard(QWidget):
    """Says at which budget the answer flips, and draws margin against ε; looks closer while it is in sight."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curve = desk.margins
        self._norm = "linf"
        self.sentence = ElidedLabel(text_role="strong")
        self.chart = MarkedLineChart(
            desk.theme,
            self.tr("Margin by budget"),
            self.tr("ε (/255)"),
            self.tr("margin, logits"),
            self.tr("Attack a picture to see how its margin falls with the budget."),
        )
        self.chart.setMinimumHeight(_CHART_HEIGHT)
        self.state = ElidedLabel()
        self.closer = TextButton(desk.theme, self.tr("Look closer"), "search")
        self.stop = TextButton(desk.theme, self.tr("Stop"), "stop")
        line = fill(QHBoxLayout(), (self.sentence, 1), self.state, self.closer, self.stop)
        fill(QVBoxLayout(self), line, (self.chart, 1), spacing=6)
        self.closer.clicked.connect(self._curve.go_on)
        self.stop.clicked.connect(self._curve.pause)
        self._curve.changed.connect(self.refresh)
        self.refresh()

    def show_item(self, item: Item | None) -> None:
        """Take the norm of the picture that is shown, in whose units the budgets are."""
        if item is not None and item.row is not None:
            self._norm = item.row.threat.norm
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Look closer while the card is in sight."""
        super().showEvent(event)
        self._curve.set_wanted(True)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """End the work while nobody looks."""
        super().hideEvent(event)
        self._curve.set_wanted(False)

    def refresh(self) -> None:
        """Draw what is known, and say how far the work is; nothing while the card is out of sight."""
        if not self.isVisible():
            return
        unit = 255.0 if self._norm == "linf" else 1.0
        both = {side: self._curve.margins(side) for side in ("a", "b")}
        lines, marks, sentences = [], [], []
        for side, role in (("a", "side_a" if both["b"] else "attacked"), ("b", "side_b")):
            margins = both[side]
            if len(margins) < 2:
                continue
            name = side.upper() if both["b"] else self.tr("margin")
            lines.append(Line(name, role, tuple(eps * unit for eps in margins), tuple(margins.values()), marks=True))
            flip = self._curve.flip(side)
            said = self._said(margins, flip)
            sentences.append(self.tr("{}: {}").format(name, said) if both["b"] else said)
            if flip is not None and flip[1] > 0:
                marks.append(
                    (self.tr("flips at"), flip[1] * unit, "broken" if not both["b"] else role, Qt.PenStyle.DashLine)
                )
        self.sentence.set_text("  ·  ".join(sentences))
        self.chart.set_lines(tuple(lines), (Level(self.tr("flip"), "text_muted", 0.0),) if lines else ())
        self.chart.set_marks(*marks)
        running = self._curve.is_running
        eps = self._curve.eps_now
        words = self.tr("trying {}").format(measured_budget(eps, self._norm)) if running else ""
        if self._curve.failure is not None:
            words = self._curve.failure.message
        self.state.set_text(words)
        self.closer.setVisible(not running)
        self.closer.setEnabled(bool(lines))
        self.stop.setVisible(running)

    def _said(self, margins: dict[float, float], flip: tuple[float, float] | None) -> str:
        if flip is None:
            return self.tr("holds up to ε = {}").format(measured_budget(max(margins), self._norm))
        low, high = (measured_budget(eps, self._norm) for eps in flip)
        if flip[1] == 0:
            return self.tr("wrong without an attack")
        if not flip[0]:
            return self.tr("flips at ε = {} or less").format(high)
        return self.tr("flips at ε = {}, holds at {}").format(high, low)
