"""Step 5: what the prompts are worth on pictures they never saw, and what becomes of them."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.records import NO_PROMPTS, AnalyzeResult, Failure, TunedSaved
from capt_gui.pages.tune.save_card import SaveCard
from capt_gui.pages.tune.step import Step
from capt_gui.pages.tune.verdict_card import VerdictCard
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EXPLORE, REPORT
from capt_gui.view_models.tune_result import ClassRow
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.before_after import BeforeAfter, Measured, Pair
from capt_gui.widgets.card import Card
from capt_gui.widgets.checks_card import ChecksCard
from capt_gui.widgets.figures import percent
from capt_gui.widgets.labels import text
from capt_gui.widgets.score_table import Cell, ScoreTable
from capt_gui.widgets.scrolled import scrolled

_WIDTH = 1240
_TABLE_ROWS = 20


class ResultStep(Step):
    """The verdict first, then the figures it rests on; saving beside them."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._result = desk.tuning.result
        self._shown: AnalyzeResult | None = None
        self.banner = Banner(desk.theme)
        self.verdict = VerdictCard(desk.theme, self._result)
        self.bars = BeforeAfter(
            desk.theme, self.tr("Before and after on the test pictures"), self.tr("plain text"), self.tr("tuned")
        )
        self._tests = text(role="caption")
        self.table = ScoreTable(self.tr("Class by class"))
        self.save = SaveCard(desk.theme, self._result, desk.tuning.project)
        self._figures = Card(
            _column(text(self.tr("Before and after"), "heading"), self.bars, self._tests),
        )
        self.checks = ChecksCard(desk.theme)
        self._doubts = Card(self.checks)
        self._classes = Card(_column(text(self.tr("Class by class: plain text → tuned"), "heading"), self.table))
        self._lay_out()
        self._result.changed.connect(self.on_changed)
        self._result.saved.connect(self.on_saved)
        self._result.failed.connect(self.on_failed)
        self.save.use_clicked.connect(self.on_use)
        self.save.report_clicked.connect(self.on_report)
        self.banner.action_clicked.connect(self.on_open_folder)
        self._folder = ""
        self.on_changed()

    def enter(self) -> None:
        """Measure, unless that was done."""
        self._result.measure()
        self.save.on_changed()
        self.save.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_changed(self) -> None:
        """Show the figures once they are there."""
        result = self._result.result
        there = result is not None and result.compared is not None
        self._figures.setVisible(there)
        self._classes.setVisible(there and bool(self._result.classes()))
        checks = self._result.checks()
        self._doubts.setVisible(there and bool(checks))
        if result is None or result.compared is None:
            self._shown = None
            return
        if result is self._shown:
            return
        self._shown = result
        other = result.compared.other
        pairs = [
            Pair(
                self.tr("Clean"),
                _measured(result.clean_accuracy, result.clean_interval),
                _measured(other.clean_accuracy, other.clean_interval),
            ),
            Pair(
                self.tr("Under attack"),
                _measured(result.robust_accuracy, result.robust_interval),
                _measured(other.robust_accuracy, other.robust_interval),
            ),
        ]
        self.bars.set_pairs(tuple(pair for pair in pairs if pair.before is not None))
        self._tests.setText("\n".join(self._result.tests()))
        self._fill_table(self._result.classes())
        self.checks.set_checks(checks)

    def on_saved(self, saved: TunedSaved) -> None:
        """Say where the prompts are."""
        self._folder = self._result.folder
        if self._folder:
            hint = self.tr("{} files: prompts, model card and manifest.").format(len(saved.files))
            self.banner.show_message(
                "done", self.tr("Saved in {}").format(self._folder), hint, self.tr("Open the folder")
            )
        else:
            hint = self.tr("They can be chosen on the Explore page, and by this name on the command line.")
            self.banner.show_message("done", self.tr("Saved “{}”").format(saved.prompts.label), hint)

    def on_failed(self, failure: Failure) -> None:
        """Say why nothing was saved."""
        self.banner.show_message("error", failure.message, failure.hint)

    def on_open_folder(self) -> None:
        """Show the saved folder."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder))

    def on_use(self) -> None:
        """Plain text as A and the tuned prompts as B, on the model they were tuned for."""
        choices, saved = self.desk.choices, self.desk.tuning.project.state.saved
        made_by = self.desk.tuning.run.made_by
        choices.set_model(made_by.model if made_by else self.desk.tuning.project.state.model)
        choices.sides.set_a(NO_PROMPTS)
        if saved and choices.sides.info(saved) is not None:
            choices.sides.set_b(saved)
        else:
            choices.sides.open_file(str(self._result.prompts_file), "b")
        self.desk.navigation.go(EXPLORE)

    def on_report(self) -> None:
        """The report of the run that measured."""
        self.desk.reports.show_run(self.desk.tuning.project.state.test_run)
        self.desk.navigation.go(REPORT)

    def _fill_table(self, rows: tuple[ClassRow, ...]) -> None:
        attacked = any(row.robust_before is not None for row in rows)
        headings = [
            (self.tr("Class"), ""),
            (self.tr("Pictures"), self.tr("Test pictures of this class")),
            (self.tr("Clean"), self.tr("Right when clean, with plain text and with the tuned prompts")),
        ]
        if attacked:
            headings += [
                (
                    self.tr("Attacked"),
                    self.tr("Right under attack, with plain text and with the tuned prompts"),
                ),
                (self.tr("Change"), self.tr("Pictures that hold under attack: tuned minus plain text")),
            ]
        self.table.set_table(headings, [self._cells(row, attacked) for row in rows])
        self.table.show_rows(_TABLE_ROWS)

    def _cells(self, row: ClassRow, attacked: bool) -> list[Cell]:
        cells = [Cell(row.name, row.name), Cell(str(row.n), row.n), self._pair(row.clean_before, row.clean_after)]
        if attacked:
            before, after = row.robust_before or 0.0, row.robust_after or 0.0
            change = round((after - before) * row.n)
            arrow = "▲ +" if change > 0 else "▼ \u2212" if change < 0 else ""
            cells += [self._pair(before, after), Cell(f"{arrow}{abs(change)}", change, f"{change:+d}")]
        return cells

    def _pair(self, before: float, after: float) -> Cell:
        spoken = self.tr("plain text {}, tuned {}").format(percent(before), percent(after))
        return Cell(f"{percent(before)} → {percent(after)}", after, spoken)

    def _lay_out(self) -> None:
        body = QWidget()
        body.setMaximumWidth(_WIDTH)
        columns = QHBoxLayout(body)
        columns.setContentsMargins(20, 14, 20, 14)
        columns.setSpacing(14)
        left, right = QVBoxLayout(), QVBoxLayout()
        for column in (left, right):
            column.setSpacing(12)
        for widget in (self.verdict, self._figures, self._classes, self._doubts):
            left.addWidget(widget)
        left.addStretch(1)
        right.addWidget(self.banner)
        right.addWidget(Card(self.save))
        right.addStretch(1)
        columns.addLayout(left, 3)
        columns.addLayout(right, 2)
        outer = QWidget()
        line = QHBoxLayout(outer)
        line.setContentsMargins(0, 0, 0, 0)
        line.addStretch(1)
        line.addWidget(body, 1000)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(outer))


def _measured(value: float | None, interval: tuple[float, float] | None) -> Measured | None:
    if value is None:
        return None
    low, high = interval if interval is not None else (value, value)
    return Measured(value, low, high)


def _column(*widgets: QWidget) -> QWidget:
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for widget in widgets:
        layout.addWidget(widget)
    return box
