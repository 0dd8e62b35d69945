"""Class by class, on one side or on two, as a table that sorts."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from capt_engine.formatting import percent
from capt_engine.records import Bar, BarChart
from capt_gui.view_models.class_rows import ClassRow
from capt_gui.widgets.score_table import Cell, ScoreTable

_ROWS = 20


class ClassScores(ScoreTable):
    """`show_classes` fills it; sides: what the one side, or the two, are called in a sentence."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._sides: tuple[str, ...] = ()
        self._classes: tuple[ClassRow, ...] = ()

    def show_classes(self, rows: tuple[ClassRow, ...], sides: tuple[str, ...]) -> None:
        """Fill the table with a row a class: pictures, clean accuracy, robust accuracy, and B's change against A.

        rows: the accuracies of each class. sides: the names of the one set of prompts, or of the two that are compared,
        as a sentence says them.
        """
        self._sides, self._classes = sides, rows
        two = len(sides) > 1
        attacked = any(row.robust_before is not None for row in rows)
        who = self.tr("{} and {}").format(*sides[:2]) if two else sides[0]
        headings = [
            (self.tr("Class"), ""),
            (self.tr("Pictures"), self.tr("Pictures of this class that were measured")),
            (self.tr("Clean"), self.tr("Right when clean, with {}").format(who)),
        ]
        if attacked:
            headings.append((self.tr("Attacked"), self.tr("Right under attack, with {}").format(who)))
        if attacked and two:
            words = self.tr("Pictures that hold under attack: with {}, minus those with {}")
            headings.append((self.tr("Change"), words.format(sides[1], sides[0])))
        self.set_table(headings, [self._cells(row, attacked=attacked, two=two) for row in rows])
        self.show_rows(_ROWS)

    def record(self) -> BarChart | None:
        """Return clean and robust accuracies of all classes as a bar chart to be saved; None when there is no class."""
        sides = [f", {side}" for side in self._sides] if len(self._sides) > 1 else [""]
        series = tuple(state + side for state in (self.tr("clean"), self.tr("attacked")) for side in sides)
        bars = []
        for row in self._classes:
            before, after = (row.clean_before, row.robust_before), (row.clean_after, row.robust_after)
            shares = [one for pair in zip(before, after, strict=True) for one in pair[: len(sides)]]
            bars += [Bar(row.name, one, series=number) for number, one in enumerate(shares) if one is not None]
        caption = self.accessibleName()
        alt = self.tr("{}: the share of right answers of {} classes.").format(caption, len(self._classes))
        return BarChart(caption, tuple(bars), alt, series=series) if bars else None

    def _cells(self, row: ClassRow, *, attacked: bool, two: bool) -> list[Cell]:
        cells = [
            Cell(row.name, row.name),
            Cell(f"{row.n:,}", row.n),
            self._shares(row.clean_before, row.clean_after),
        ]
        if attacked:
            cells.append(self._shares(row.robust_before or 0.0, row.robust_after if two else None))
        if attacked and two:
            change = round(((row.robust_after or 0.0) - (row.robust_before or 0.0)) * row.n)
            arrow = "▲ +" if change > 0 else "▼ \u2212" if change < 0 else ""
            cells.append(Cell(f"{arrow}{abs(change)}", change, f"{change:+d}"))
        return cells

    def _shares(self, before: float, after: float | None) -> Cell:
        if after is None:
            return Cell(percent(before), before)
        spoken = self.tr("{} {}, {} {}").format(self._sides[0], percent(before), self._sides[1], percent(after))
        return Cell(f"{percent(before)} → {percent(after)}", after, spoken)
