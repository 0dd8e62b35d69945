"""The results of a run: the verdict first, then the figures it rests on and the checks, in as many columns as there is room for."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_gui.pages.evaluate.difference_card import DifferenceCard
from capt_gui.pages.evaluate.distribution_card import DistributionCard
from capt_gui.pages.evaluate.heat_cards import ConfusionCard, CorruptionCard
from capt_gui.pages.evaluate.result_cards import AttacksCard, CurveCard, FiguresCard, ReencodingCard, ResultCard
from capt_gui.pages.evaluate.verdict_card import VerdictCard
from capt_gui.panels.chart_saving import ChartSaving
from capt_gui.panels.class_scores import ClassScores
from capt_gui.view_models.class_rows import class_rows
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.widgets.card import Card
from capt_gui.widgets.checks_card import ChecksCard
from capt_gui.widgets.columns import centred
from capt_gui.widgets.failed_list import FailedList
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled
from capt_gui.widgets.two_columns import TwoColumns

_WIDTH = 1640


class ClassesCard(ResultCard):
    """Card with a table of clean and robust accuracy class by class, which can be sorted."""

    def __init__(self) -> None:
        super().__init__()
        self.table = ClassScores(self.tr("Class by class"))
        self.lay_out("", self.table)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show a table of clean and robust accuracy of each class of `run` that has pictures; return False when there are none."""
        rows = class_rows(run.result) if run.result is not None else ()
        two = len(run.results()) > 1
        self.heading.setText(self.tr("Class by class: A → B") if two else self.tr("Class by class"))
        if rows:
            self.table.show_classes(rows, ("A", "B") if two else (self.tr("these prompts"),))
        return bool(rows)


class ResultsView(QWidget):
    """The cards of a run; emits `report_clicked` for its report and `explore_clicked(paths)` for pictures to open in Explore."""

    report_clicked = Signal()
    explore_clicked = Signal(list)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = desk.evaluation.run
        self._choices = desk.evaluation.choices
        self.verdict = VerdictCard(desk.theme, self._run, desk.model)
        self.outdated_note = text(role="muted")
        self.figures = FiguresCard(desk.theme, desk.model)
        self.attacks = AttacksCard(desk.model)
        self.curve = CurveCard(desk.theme, desk.model)
        self.corruptions = CorruptionCard(desk.theme)
        self.classes = ClassesCard()
        self.differences = DifferenceCard(desk.theme, desk.evaluation.data.thumbnails)
        self.confusion = ConfusionCard(desk.theme, desk.evaluation.data.thumbnails)
        self.reencoding = ReencodingCard(desk.theme)
        self.distribution = DistributionCard(desk.theme, desk.model)
        self.checks = ChecksCard(desk.theme, sentences=True)
        self.failed = FailedList(desk.theme)
        self._checks_card, self._failed_card = Card(self.checks), Card(self.failed)
        self._cards: dict[ResultCard, Card] = {}
        self._columns = TwoColumns()
        self._add(0, self.figures, self.differences, self.attacks)
        self._add(1, self.curve)
        self._add(0, self.corruptions)
        self._columns.add(self._checks_card, 1)
        self._add(1, self.reencoding)
        self._add(0, self.distribution, self.classes)
        self._add(1, self.confusion)
        self._columns.add(self._failed_card, 1)
        body = QWidget()
        rows = (self.verdict, self.outdated_note, self._columns, (None, 1))
        fill(QVBoxLayout(body), *rows, spacing=12, margins=(16, 12, 12, 16))
        self._area = scrolled(centred(body, _WIDTH))
        fill(QVBoxLayout(self), self._area)
        ChartSaving(desk, self.figures.bars, self.figures.bars.record)
        ChartSaving(desk, self.curve.chart, self.curve.chart.record)
        ChartSaving(desk, self.distribution.chart, self.distribution.chart.record)
        ChartSaving(desk, self.classes, self.classes.table.record)
        ChartSaving(desk, self.corruptions.grid, self.corruptions.record, Qt.Corner.TopLeftCorner)
        ChartSaving(desk, self.confusion.grid, self.confusion.record, Qt.Corner.TopLeftCorner)
        self.verdict.report_clicked.connect(self.report_clicked)
        self.confusion.explore_clicked.connect(self.explore_clicked)
        self.differences.explore_clicked.connect(self.explore_clicked)
        self._run.changed.connect(self.on_changed)
        self._run.counted.connect(self.on_counted)
        self._choices.changed.connect(self.on_choices_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the cards that have something of the run, after it began or ended, and hide the others."""
        if self._run.is_running:
            self._area.verticalScrollBar().setValue(0)
        done = self._run.result is not None
        for part, card in self._cards.items():
            if part is not self.confusion:
                card.setVisible(done and part.show_run(self._run))
        checks = self._run.checks()
        self._checks_card.setVisible(bool(checks))
        if checks:
            self.checks.set_checks(checks)
        self.on_counted()
        self.on_choices_changed()

    def on_counted(self) -> None:
        """Show the confusion matrix and the list of unusable pictures again, as more pictures of the run are done."""
        self._cards[self.confusion].setVisible(self.confusion.show_run(self._run))
        failures = self._run.failures()
        self.failed.show_failed(failures)
        self._failed_card.setVisible(bool(failures))
        self._columns.arrange()

    def on_choices_changed(self) -> None:
        """Show a note if the shown results were made with other settings than the present ones, else hide it."""
        stale = self._run.result is not None and not self._run.is_current
        self.outdated_note.setText(
            self.tr("Made with other settings than those on the right; Run measures anew.") if stale else ""
        )
        self.outdated_note.setVisible(stale)

    def _add(self, column: int, *parts: ResultCard) -> None:
        for part in parts:
            self._cards[part] = Card(part)
            self._columns.add(self._cards[part], column)
