"""Tables of shades: accuracy under common corruptions, and which class is taken for which."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import PurePath

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_engine import records
from capt_engine.formatting import percent
from capt_engine.records import CorruptionTable
from capt_gui.pages.evaluate.result_cards import ResultCard
from capt_gui.theme import Theme
from capt_gui.view_models.evaluate import evaluate_text
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.picture_list import PictureList, Tile
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.heat_map import HeatMap
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picture_grid import PictureGrid
from capt_gui.widgets.score_table import Cell, ScoreTable
from capt_gui.widgets.segments import Segments

MOST_CLASSES = 200
"""Up to so many classes the whole matrix is drawn."""
_FEW_CLASSES = 16
"""Of more classes than these, the mistakes that are made most often are listed too: a large matrix is read with a pointer."""
_MISTAKES = 15
# of one cell, so many pictures are shown
_PICTURES = 60
_IN_A_ROW, _ONE_ROW, _TWO_ROWS = 6, 118, 230


class CorruptionCard(ResultCard):
    """Card with accuracy by kind and severity of corruption for one side, and the mean of each kind."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._tables: tuple[CorruptionTable, ...] = ()
        self._side = Segments(theme, self.tr("Side"), _sides())
        self._side.set_choice("a")
        self.note = text()
        self.grid = HeatMap(theme, self.tr("Accuracy by corruption and severity"))
        self._read = text(role="caption")
        title = self.tr("Common corruptions: how many are right")
        self.lay_out(title, _row(self._side), self.note, self.grid, self._read)
        self._side.picked.connect(self.on_picked)
        self.grid.current_changed.connect(self._show_note)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show accuracy by kind and severity of corruption for one variant (a model with its prompts) of `run`, A or B.

        Return False when the run has no such table.
        """
        self._tables = run.result.corruptions if run.result is not None else ()
        self._side.setVisible(len(self._tables) > 1)
        if self._tables:
            self.on_picked()
        return bool(self._tables)

    def on_picked(self) -> None:
        """Show accuracy by kind and severity of corruption for the variant (a model with its prompts), A or B, that was picked."""
        table = self._table()
        self.note.setText(evaluate_text.corruption_text(table))
        kinds = [_called(mean.kind) for mean in table.kinds]
        severities = sorted({cell.severity for cell in table.cells})
        counts = {(cell.kind, cell.severity): (cell.kept, cell.n) for cell in table.cells}
        counted = [[counts.get((mean.kind, severity), (0, 0)) for severity in severities] for mean in table.kinds]
        shares = [
            [*(kept / n if n else math.nan for kept, n in row), mean.accuracy]
            for row, mean in zip(counted, table.kinds, strict=True)
        ]
        last = len(severities)

        def describe(row: int, column: int) -> str:
            if column == last:
                mean = percent(shares[row][last])
                return self.tr("{}, all severities: {} right on average").format(kinds[row], mean)
            return self.tr("{}, severity {}: {} of {} right").format(
                kinds[row], severities[column], *counted[row][column]
            )

        self.grid.set_cells(
            kinds,
            [*(str(severity) for severity in severities), self.tr("mean")],
            shares,
            text=lambda row, column: percent(shares[row][column]),
            words=describe,
            role=lambda _row, column: "ok" if column == last else "clean",
            gap_before=last,
        )

    def record(self) -> records.HeatMap | None:
        """Return the corruption table of the shown variant, A or B, as a chart that can be saved to a file, or None without a table."""
        if not self._tables:
            return None
        table = self._table()
        severities = sorted({cell.severity for cell in table.cells})
        shares = {(cell.kind, cell.severity): cell.kept / cell.n for cell in table.cells if cell.n}
        rows = tuple(
            records.HeatRow(
                _called(mean.kind),
                tuple(shares.get((mean.kind, severity)) for severity in severities),
                percent(mean.accuracy),
                mean.accuracy,
                mean.low,
                mean.high,
            )
            for mean in table.kinds
        )
        caption, kinds = self.heading.text(), self.tr("Corruption")
        figures = "; ".join(f"{row.name} {row.last}" for row in rows)
        columns = tuple(str(severity) for severity in severities)
        return records.HeatMap(caption, kinds, columns, rows, f"{caption}. {figures}.", self.tr("mean"))

    def _table(self) -> CorruptionTable:
        return self._tables[1 if self._side.choice() == "b" and len(self._tables) > 1 else 0]

    def _show_note(self, message: str) -> None:
        self._read.setText(
            message or self.tr("Severity 1 is hardly seen, 5 is heavy. The mean weighs every kind alike.")
        )


class ConfusionCard(ResultCard):
    """Card with the confusion matrix, or the most common mistakes of many classes, and the pictures of a chosen cell.

    `explore_clicked(paths)`: these are to be looked at one by one.
    """

    explore_clicked = Signal(list)

    def __init__(self, theme: Theme, thumbnails: ThumbnailLoader) -> None:
        super().__init__()
        self._run: EvaluateRun | None = None
        # the class of each row of the matrix
        self._labels: list[int] = []
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
        self.grid = HeatMap(theme, self.tr("Labels against answers"))
        self.table = ScoreTable(self.tr("The commonest mistakes"))
        self._read = text(role="caption")
        self.pictures = TakenFor(theme, thumbnails)
        title, choices = self.tr("Which class is taken for which"), _row(self._state, self._side)
        self.lay_out(title, choices, self.grid, self.table, self._read, self.pictures)
        self._state.picked.connect(self._on_picked)
        self._side.picked.connect(self._on_picked)
        self.grid.current_changed.connect(self._show_note)
        self.grid.chosen.connect(self._on_chosen)
        self.table.activated.connect(self._on_activated)
        self.table.clicked.connect(self._on_activated)
        self.pictures.explore_clicked.connect(self.explore_clicked)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show how often each class is taken for which other in the pictures of `run` so far; return False while none is done."""
        self._run = run
        if not run.tally.n:
            self.pictures.show_pictures("", ())
            return False
        attacked = run.has_attack and any(run.tally.held(side)[1] for side in run.sides)
        self._state.setVisible(attacked)
        self._state.set_choice(self._state.choice() if attacked else "clean")
        self._side.setVisible(len(run.sides) > 1)
        self._refresh()
        return True

    def record(self) -> records.ConfusionMatrix | None:
        """Return the shown confusion matrix, of variant A or B, clean or attacked, as a chart that can be saved to a file.

        Return None while no picture is done.
        """
        if self._run is None or not self._run.tally.n:
            return None
        names, counts = self._run.tally.classes, self._counts()
        table = tuple(tuple(counts[label, answer] for answer in range(len(names))) for label in range(len(names)))
        state = self.tr("attacked") if self._state.choice() == "attacked" else self.tr("clean")
        side = f"{self._side.choice().upper()}, " if len(self._run.sides) > 1 else ""
        caption = f"{self.heading.text()}: {side}{state}"
        right = sum(counts[label, label] for label in range(len(names)))
        summary = self.tr("{}. {} of {} are right.").format(caption, right, sum(counts.values()))
        return records.ConfusionMatrix(caption, names, table, summary)

    def _counts(self) -> Counter[tuple[int, int]]:
        if self._run is None:
            return Counter()
        return self._run.tally.confusion(self._shown_side(), attacked=self._state.choice() == "attacked")

    def _on_picked(self) -> None:
        self.pictures.show_pictures("", ())
        self._refresh()

    def _on_chosen(self, row: int, column: int) -> None:
        self._show_pictures(self._labels[row], column)

    def _on_activated(self, index: QModelIndex) -> None:
        if self._run is not None:
            names = [str(index.siblingAtColumn(column).data()) for column in range(2)]
            label, answer = (self._run.tally.classes.index(name) for name in names)
            self._show_pictures(label, answer)

    def _show_pictures(self, label: int, answer: int) -> None:
        if self._run is None:
            return
        tally, attacked = self._run.tally, self._state.choice() == "attacked"
        paths = tally.taken_for(self._shown_side(), label, answer, attacked=attacked)
        names = (tally.classes[label], tally.classes[answer])
        title = self.tr("“{}”, right when attacked") if attacked else self.tr("“{}”, right when clean")
        if label != answer:
            title = self.tr("“{}”, called “{}” when attacked") if attacked else self.tr("“{}”, called “{}” when clean")
        self.pictures.show_pictures(title.format(*names), paths)

    def _shown_side(self) -> str:
        sides = self._run.sides if self._run is not None else ("", "")
        return sides[1 if self._side.choice() == "b" and len(sides) > 1 else 0]

    def _refresh(self) -> None:
        if self._run is None:
            return
        classes, counts = self._run.tally.classes, self._counts()
        self.grid.setVisible(len(classes) <= MOST_CLASSES)
        self.table.setVisible(len(classes) > _FEW_CLASSES)
        if len(classes) <= MOST_CLASSES:
            self._show_matrix(classes, counts)
        if len(classes) > _FEW_CLASSES:
            self._show_mistakes(classes, counts)
        self._show_note("")

    def _show_matrix(self, classes: tuple[str, ...], counts: Counter[tuple[int, int]]) -> None:
        totals = Counter[int]()
        for (label, _), count in counts.items():
            totals[label] += count
        labels = self._labels = [number for number in range(len(classes)) if totals[number]]
        place = {label: row for row, label in enumerate(labels)}
        shares = [[math.nan] * len(classes) for _ in labels]
        for (label, answer), count in counts.items():
            shares[place[label]][answer] = count / totals[label]

        def describe(row: int, column: int) -> str:
            label = labels[row]
            return self.tr("{}: {} of {} were called {}").format(
                classes[label], counts[label, column], totals[label], classes[column]
            )

        self.grid.set_cells(
            [classes[label] for label in labels],
            classes,
            shares,
            text=lambda row, column: str(counts[labels[row], column] or ""),
            words=describe,
            role=lambda row, column: "ok" if labels[row] == column else "broken",
        )

    def _show_mistakes(self, classes: tuple[str, ...], counts: Counter[tuple[int, int]]) -> None:
        wrong = Counter({pair: count for pair, count in counts.items() if pair[0] != pair[1]})
        answer_help = self.tr("What it was taken for")
        headings = [(self.tr("Label"), ""), (self.tr("Answer"), answer_help), (self.tr("Pictures"), "")]
        rows = [
            [Cell(classes[label], classes[label]), Cell(classes[answer], classes[answer]), Cell(str(count), count)]
            for (label, answer), count in wrong.most_common(_MISTAKES)
        ]
        self.table.set_table(headings, rows)
        self.table.show_rows(_MISTAKES)

    def _show_note(self, message: str) -> None:
        if message:
            self._read.setText(message)
            return
        parts = []
        if not self.grid.isHidden():
            parts.append(
                self.tr("Rows are labels, columns are answers. Choose a cell by click or Return to see its pictures.")
            )
        if not self.table.isHidden():
            most = self.tr("The {} commonest mistakes; choose one by click or Return to see its pictures.")
            parts.append(most.format(_MISTAKES))
        self._read.setText("\n".join(parts))


class TakenFor(QWidget):
    """The pictures of one cell of the confusion matrix, with a button that opens them in Explore; hidden until a cell is chosen."""

    explore_clicked = Signal(list)

    def __init__(self, theme: Theme, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths: tuple[str, ...] = ()
        self.title = text(role="strong")
        self.explore = TextButton(theme, self.tr("Open in Explore"), "explore")
        self.explore.setAccessibleName(self.tr("Open these pictures in Explore"))
        self._tiles = PictureList(thumbnails, self)
        self._grid = PictureGrid(theme)
        self._grid.setModel(self._tiles)
        self._grid.setAccessibleName(self.tr("Pictures of this cell"))
        head = fill(QHBoxLayout(), (self.title, 1), self.explore, spacing=6)
        fill(QVBoxLayout(self), head, self._grid, spacing=6, margins=(0, 4, 0, 0))
        self.explore.clicked.connect(self._on_explore)
        self.hide()

    def show_pictures(self, title: str, paths: tuple[str, ...]) -> None:
        """Show the pictures with the file paths `paths`, at most 60, under `title` and their number; an empty title hides everything."""
        self._paths = paths
        n = len(paths)
        count = self.tr("1 picture") if n == 1 else self.tr("{:,} pictures").format(n) if n else self.tr("No picture")
        more = self.tr("; the first {} are shown").format(_PICTURES) if n > _PICTURES else ""
        self.title.setText(f"{count}: {title}{more}")
        self._tiles.show([Tile(path, PurePath(path).stem) for path in paths[:_PICTURES]])
        self._grid.setVisible(bool(paths))
        self._grid.setFixedHeight(_TWO_ROWS if n > _IN_A_ROW else _ONE_ROW)
        self.explore.setVisible(bool(paths))
        self.setVisible(bool(title))

    def _on_explore(self) -> None:
        self.explore_clicked.emit(list(self._paths[:_PICTURES]))


def _sides() -> list[tuple[str, str, str]]:
    return [("a", "A", ""), ("b", "B", "")]


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    for widget in widgets:
        widget.setMaximumWidth(240)
    fill(QHBoxLayout(row), *widgets, (None, 1), spacing=10)
    return row


def _called(kind: str) -> str:
    name = kind.replace("-", " ")
    return "JPEG" if name == "jpeg" else name[:1].upper() + name[1:]
