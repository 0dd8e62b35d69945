"""Probabilities of the likeliest classes, clean against attacked, for one set of prompts or for two."""

from __future__ import annotations

from capt_engine.records import Bar, BarChart, Verdict
from capt_gui.theme import Theme
from capt_gui.widgets.bar_area import BarArea, BarRow
from capt_gui.widgets.side_badge import SIDES
from capt_gui.widgets.side_pair import SidePair

Answers = tuple[Verdict, Verdict | None]

_COUNT = 5
# of two sides, so that together they do not show too many classes
_COUNT_OF_TWO = 3


class ProbabilityBars(SidePair[BarArea]):
    """Grouped horizontal bars over the union of the top lists, with the answers as text above them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, BarArea(theme), BarArea(theme))
        self.clear()

    def set_verdicts(
        self, classes: tuple[str, ...], clean: Verdict, attacked: Verdict | None, count: int = _COUNT
    ) -> None:
        """Show the probabilities of the `count` likeliest classes of the clean and the attacked answer, the winners first.

        classes: all class names. clean, attacked: the model's answer to each picture; attacked is None before an
        attack.
        """
        self._name("", "")
        self.parts[0].set_rows(_rows(classes, _chosen(((clean, attacked),), count), (clean, attacked)))
        self.parts[1].set_rows(())

    def set_pair(self, classes: tuple[str, ...], a: Answers, b: Answers, names: tuple[str, str]) -> None:
        """Show the probabilities of two variants (models with their prompts), A and B, with the same classes in order.

        classes: all class names. a, b: the (clean, attacked) answers of each, attacked None before an attack. names:
        of the two variants.
        """
        self._name(*names)
        chosen = _chosen((a, b), _COUNT_OF_TWO)
        for area, answers in zip(self.parts, (a, b), strict=True):
            area.set_rows(_rows(classes, chosen, answers))

    def clear(self) -> None:
        """Remove all bars and show the text of the empty state."""
        self._name("", "")
        for area in self.parts:
            area.set_rows(())

    def description(self) -> str:
        """Return the shown classes with their probabilities as one text; " | " stands between two compared models."""
        return " | ".join(area.accessibleDescription() for area in self.shown())

    def record(self) -> BarChart | None:
        """Return the shown probabilities as values of a bar chart, for saving it to a file; None while empty."""
        areas = [area for area in self.parts if area.rows()]
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

    def _name(self, a: str, b: str) -> None:
        self.name_sides(a, b)
        plain = self.tr("Probabilities of the likeliest classes")
        for side, name, area in zip(SIDES, (a, b), self.parts, strict=True):
            area.setAccessibleName(f"{plain}, {side.upper()}: {name}" if name else plain)


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
