"""Probabilities of the likeliest classes, clean against attacked, for one set of prompts or for two."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLayout, QVBoxLayout, QWidget

from capt_engine.records import Bar, BarChart, Verdict
from capt_gui.theme import Theme
from capt_gui.widgets.bar_area import BarArea, BarRow
from capt_gui.widgets.side_badge import SIDES, SideTitle

Answers = tuple[Verdict, Verdict | None]

_COUNT = 5
# of two sides, so that together they do not show too many classes
_COUNT_OF_TWO = 3
# width from which two sides stand beside each other
_ROOM = 450


class ProbabilityBars(QWidget):
    """Grouped horizontal bars over the union of the top lists, with the answers in words above them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._areas = (BarArea(theme), BarArea(theme))
        self._titles = tuple(SideTitle(theme, side) for side in SIDES)
        self._second = QWidget()
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(16)
        self._layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        first = QWidget()
        for column, title, area in zip((first, self._second), self._titles, self._areas, strict=True):
            layout = QVBoxLayout(column)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
            layout.addWidget(title)
            layout.addWidget(area, 1000)
            layout.addStretch(1)
            self._layout.addWidget(column, 1)
        self.setFocusProxy(self._areas[0])
        self._name("", "")
        self.clear()

    def set_verdicts(
        self, classes: tuple[str, ...], clean: Verdict, attacked: Verdict | None, count: int = _COUNT
    ) -> None:
        """Show the `count` likeliest classes of either answer; the winners come first."""
        self._name("", "")
        self._areas[0].set_rows(_rows(classes, _chosen(((clean, attacked),), count), (clean, attacked)))
        self._areas[1].set_rows(())

    def set_pair(self, classes: tuple[str, ...], a: Answers, b: Answers, names: tuple[str, str]) -> None:
        """Show two sides, the same classes in the same order on both; `names` says what they are."""
        self._name(*names)
        chosen = _chosen((a, b), _COUNT_OF_TWO)
        for area, answers in zip(self._areas, (a, b), strict=True):
            area.set_rows(_rows(classes, chosen, answers))

    def clear(self) -> None:
        """Show the empty state."""
        self._name("", "")
        for area in self._areas:
            area.set_rows(())

    def description(self) -> str:
        """Return the shown bars in words."""
        shown = self._areas if self._second.isVisibleTo(self) else self._areas[:1]
        return " | ".join(area.accessibleDescription() for area in shown)

    def record(self) -> BarChart | None:
        """The chart as values, to be saved; None while it is empty."""
        areas = [area for area in self._areas if area.rows()]
        states = (self.tr("clean"), self.tr("under attack"))
        letters = [f"{side.upper()}, " for side in SIDES] if len(areas) > 1 else [""]
        bars = tuple(
            Bar(row.name, value, series=len(states) * number + state)
            for rows in zip(*(area.rows() for area in areas), strict=True)
            for number, row in enumerate(rows)
            for state, value in enumerate((row.clean, row.attacked))
            if value is not None
        )
        series = tuple(letter + state for letter in letters for state in states)
        caption = self.tr("Probabilities of the likeliest classes")
        return BarChart(caption, bars, f"{caption}. {self.description()}.", series=series) if bars else None

    def minimumSizeHint(self) -> QSize:
        """Two sides ask for no more width than one: they can stand above each other."""
        return QSize(self._areas[0].minimumSizeHint().width(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow card the sides stand above each other."""
        super().resizeEvent(event)
        wide = event.size().width() >= _ROOM
        self._layout.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    def _name(self, a: str, b: str) -> None:
        """Name both sides; two empty names stand for one side only."""
        for title, words in zip(self._titles, (a, b), strict=True):
            title.set_text(words)
            title.setVisible(bool(words))
        self._second.setVisible(bool(b))
        plain = self.tr("Probabilities of the likeliest classes")
        for side, words, area in zip(SIDES, (a, b), self._areas, strict=True):
            area.setAccessibleName(f"{plain}, {side.upper()}: {words}" if words else plain)


def _chosen(sides: tuple[Answers, ...], count: int) -> list[int]:
    """The likeliest classes of all answers: first the winners, then by their highest probability."""
    verdicts = [verdict for answers in sides for verdict in answers if verdict is not None]
    chosen = {index for verdict in verdicts for index in verdict.top(count)}
    winners = list(dict.fromkeys(verdict.winner for verdict in verdicts))

    def rank(index: int) -> tuple[int, float]:
        place = winners.index(index) if index in winners else len(winners)
        return place, -max(verdict.probabilities[index] for verdict in verdicts)

    return sorted(chosen, key=rank)


def _rows(classes: tuple[str, ...], chosen: list[int], answers: Answers) -> tuple[BarRow, ...]:
    clean, attacked = answers
    return tuple(
        BarRow(
            classes[index],
            clean.probabilities[index],
            attacked.probabilities[index] if attacked is not None else None,
            index == clean.winner,
            attacked is not None and index == attacked.winner,
        )
        for index in chosen
    )
