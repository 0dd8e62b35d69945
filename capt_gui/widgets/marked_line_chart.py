"""Lines with an upright mark at one place, such as the budget at which an answer flips."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, Qt, Signal

from capt_engine.formatting import tick
from capt_gui.theme import Theme
from capt_gui.widgets.line_chart import LineChart


class MarkedLineChart(LineChart):
    """A line chart with upright marks at places of the x axis. picked(x): the user clicked at the place of a value."""

    picked = Signal(float)

    def __init__(self, theme: Theme, title: str, x_name: str, y_name: str, empty: str) -> None:
        """x_name, y_name: the names of the axes; empty: the text where there is nothing to draw."""
        super().__init__(theme, title, x_name, y_name, empty)
        self._marks: tuple[tuple[str, float, str, Qt.PenStyle], ...] = ()
        self._rules: list[Any] = []
        # the words above it say what it shows, and the curves need the room
        self._title.hide()

    def set_marks(self, *marks: tuple[str, float, str, Qt.PenStyle]) -> None:
        """Mark places of the x axis: (name, x, role of the colour, stroke) each; where only x changed nothing else is drawn anew."""
        same = [(name, role) for name, _, role, _ in marks] == [(name, role) for name, _, role, _ in self._marks]
        self._marks = marks
        if same and len(self._rules) == len(marks):
            for rule, (_, x, _, _) in zip(self._rules, marks, strict=True):
                rule.setPos(self._at(x))
            self.setAccessibleDescription(self.description())
        else:
            self._draw()

    def description(self) -> str:
        """Return the values at the chosen x in a sentence, and the marks behind them."""
        marks = "".join(f", {name} {tick(x)}" for name, x, _, _ in self._marks) if self._places else ""
        return f"{super().description()}{marks}"

    def click_at(self, spot: QPointF) -> None:
        """Emit `picked` with the x of the value nearest to a click at `spot`, in coordinates of the axes."""
        if self._places:
            self.picked.emit(min(self._places, key=lambda place: abs(self._at(place) - spot.x())))

    def _draw_items(self, item: Any) -> None:
        import pyqtgraph as pg

        super()._draw_items(item)
        self._rules = []
        for _, x, role, style in self._marks:
            rule = pg.InfiniteLine(self._at(x), angle=90, pen=pg.mkPen(self._theme.color(role), width=2, style=style))
            item.addItem(rule)
            self._rules.append(rule)
