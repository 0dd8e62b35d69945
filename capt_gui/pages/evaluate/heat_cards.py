"""Tables of shades: accuracy under common corruptions, and which class is taken for which."""

from __future__ import annotations

from collections import Counter

from PySide6.QtWidgets import QHBoxLayout, QWidget

from capt_engine.records import CorruptionTable
from capt_gui.pages.evaluate.result_cards import ResultCard
from capt_gui.theme import Theme
from capt_gui.view_models import evaluate_words
from capt_gui.view_models.evaluate_run import EvaluateRun
from capt_gui.widgets.figures import percent
from capt_gui.widgets.heat_grid import HeatGrid, Shade
from capt_gui.widgets.labels import text
from capt_gui.widgets.score_table import Cell, ScoreTable
from capt_gui.widgets.segments import Segments

MOST_CLASSES = 16
"""Up to so many classes the whole matrix is drawn; of more, the mistakes that are made most often."""
_MISTAKES = 15


class CorruptionCard(ResultCard):
    """Kinds × severities for one side, and the mean of each kind."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.heading.setText(self.tr("Common corruptions: how many are right"))
        self._tables: tuple[CorruptionTable, ...] = ()
        self._side = Segments(theme, self.tr("Side"), _sides())
        self._side.set_choice("a")
        self.words = text()
        self.grid = HeatGrid(theme, self.tr("Accuracy by corruption and severity"))
        self._read = text(role="caption")
        self.add(_row(self._side))
        for widget in (self.words, self.grid, self._read):
            self.add(widget)
        self._side.picked.connect(self.on_picked)
        self.grid.current_changed.connect(self._tell)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show the table of the chosen side."""
        self._tables = run.result.corruptions if run.result is not None else ()
        self._side.setVisible(len(self._tables) > 1)
        if self._tables:
            self.on_picked(self._side.choice())
        return bool(self._tables)

    def on_picked(self, side: str) -> None:
        """Show one side."""
        table = self._tables[1 if side == "b" and len(self._tables) > 1 else 0]
        self.words.setText(evaluate_words.corruption_words(table))
        kinds = [mean.kind for mean in table.kinds]
        severities = sorted({cell.severity for cell in table.cells})
        cells = {(cell.kind, cell.severity): cell for cell in table.cells}
        means = {mean.kind: mean.accuracy for mean in table.kinds}
        rows = []
        for kind in kinds:
            line = []
            for severity in severities:
                cell = cells.get((kind, severity))
                share = cell.kept / cell.n if cell is not None and cell.n else 0.0
                words = self.tr("{}, severity {}: {} of {} right").format(
                    _called(kind), severity, cell.kept if cell else 0, cell.n if cell else 0
                )
                line.append(Shade(share, percent(share) if cell is not None else "–", words, "clean"))
            words = self.tr("{}, all severities: {} right on average").format(_called(kind), percent(means[kind]))
            line.append(Shade(means[kind], percent(means[kind]), words, "ok"))
            rows.append(line)
        columns = [*(str(severity) for severity in severities), self.tr("mean")]
        self.grid.set_cells([_called(kind) for kind in kinds], columns, rows, gap_before=len(severities))
        self._tell("")

    def _tell(self, words: str) -> None:
        self._read.setText(words or self.tr("Severity 1 is hardly seen, 5 is heavy. The mean weighs every kind alike."))


class ConfusionCard(ResultCard):
    """Which class is taken for which: the whole matrix, or of many classes the commonest mistakes."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.heading.setText(self.tr("Which class is taken for which"))
        self._run: EvaluateRun | None = None
        self._state = Segments(
            theme,
            self.tr("State of the pictures"),
            [
                ("clean", self.tr("Clean"), self.tr("Answers to the pictures as they are")),
                ("attacked", self.tr("Attacked"), self.tr("Answers under the attack that changed them first")),
            ],
        )
        self._side = Segments(theme, self.tr("Side"), _sides())
        self._state.set_choice("clean")
        self._side.set_choice("a")
        self.grid = HeatGrid(theme, self.tr("Labels against answers"))
        self.table = ScoreTable(self.tr("The commonest mistakes"))
        self._read = text(role="caption")
        self.add(_row(self._state, self._side))
        for widget in (self.grid, self.table, self._read):
            self.add(widget)
        self._state.picked.connect(self._refresh)
        self._side.picked.connect(self._refresh)
        self.grid.current_changed.connect(self._tell)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show the counts of the rows, also while more of them come."""
        self._run = run
        if not run.tally.n:
            return False
        attacked = run.has_attack and any(run.tally.held(side)[1] for side in run.sides)
        self._state.setVisible(attacked)
        self._state.set_choice(self._state.choice() if attacked else "clean")
        self._side.setVisible(len(run.sides) > 1)
        self._refresh()
        return True

    def _refresh(self) -> None:
        if self._run is None:
            return
        tally, sides = self._run.tally, self._run.sides
        side = sides[1 if self._side.choice() == "b" and len(sides) > 1 else 0]
        counts = tally.confusion(side, attacked=self._state.choice() == "attacked")
        small = len(tally.classes) <= MOST_CLASSES
        self.grid.setVisible(small)
        self.table.setVisible(not small)
        if small:
            self._show_matrix(tally.classes, counts)
        else:
            self._show_mistakes(tally.classes, counts)
        self._tell("")

    def _show_matrix(self, classes: tuple[str, ...], counts: Counter[tuple[int, int]]) -> None:
        totals = Counter[int]()
        for (label, _), count in counts.items():
            totals[label] += count
        rows = [number for number in range(len(classes)) if totals[number]]
        cells = []
        for label in rows:
            line = []
            for answer in range(len(classes)):
                count = counts[label, answer]
                words = self.tr("{}: {} of {} were called {}").format(
                    classes[label], count, totals[label], classes[answer]
                )
                role = "ok" if label == answer else "broken"
                line.append(Shade(count / totals[label], str(count) if count else "", words, role))
            cells.append(line)
        self.grid.set_cells([classes[number] for number in rows], classes, cells)

    def _show_mistakes(self, classes: tuple[str, ...], counts: Counter[tuple[int, int]]) -> None:
        wrong = Counter({pair: count for pair, count in counts.items() if pair[0] != pair[1]})
        headings = [
            (self.tr("Label"), ""),
            (self.tr("Answer"), self.tr("What it was taken for")),
            (self.tr("Pictures"), ""),
        ]
        rows = [
            [Cell(classes[label], classes[label]), Cell(classes[answer], classes[answer]), Cell(str(count), count)]
            for (label, answer), count in wrong.most_common(_MISTAKES)
        ]
        self.table.set_table(headings, rows)
        self.table.show_rows(_MISTAKES)

    def _tell(self, words: str) -> None:
        if not words:
            words = self.tr("Rows are labels, columns are answers.")
            if self.grid.isHidden():
                words = self.tr("The {} commonest mistakes; the report has all of them.").format(_MISTAKES)
        self._read.setText(words)


def _sides() -> list[tuple[str, str, str]]:
    return [("a", "A", ""), ("b", "B", "")]


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(10)
    for widget in widgets:
        widget.setMaximumWidth(240)
        line.addWidget(widget)
    line.addStretch(1)
    return row


def _called(kind: str) -> str:
    words = kind.replace("-", " ")
    return "JPEG" if words == "jpeg" else words[:1].upper() + words[1:]
