"""Step 5: what the prompts are worth on pictures they never saw, and what becomes of them."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.records import NO_PROMPTS, AnalyzeResult, Failure, TunedSaved
from capt_gui.pages.tune.save_card import SaveCard
from capt_gui.pages.tune.step import Step
from capt_gui.pages.tune.verdict_card import VerdictCard
from capt_gui.panels.chart_saving import ChartSaving
from capt_gui.panels.class_scores import ClassScores
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EXPLORE, REPORT
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.before_after import BeforeAfter, Pair, measured
from capt_gui.widgets.card import Card
from capt_gui.widgets.checks_card import ChecksCard
from capt_gui.widgets.columns import centred
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled

_WIDTH = 1240


class ResultStep(Step):
    """Step 5 of the wizard: the verdict, the figures it rests on, and saving beside them."""

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
        self.table = ClassScores(self.tr("Class by class"))
        self.save = SaveCard(desk.theme, self._result, desk.tuning.project)
        self._figures = Card(column(text(self.tr("Before and after"), "heading"), self.bars, self._tests))
        self.checks = ChecksCard(desk.theme)
        self._checks_card = Card(self.checks)
        self._classes = Card(column(text(self.tr("Class by class: plain text → tuned"), "heading"), self.table))
        self._lay_out()
        ChartSaving(desk, self.bars, self.bars.record)
        ChartSaving(desk, self._classes, self.table.record)
        self._result.changed.connect(self.on_changed)
        self._result.saved.connect(self.on_saved)
        self._result.failed.connect(self.on_failed)
        self.save.use_clicked.connect(self.on_use)
        self.save.report_clicked.connect(self.on_report)
        self.banner.action_clicked.connect(self.on_open_folder)
        self._folder = ""
        self.on_changed()

    def enter(self) -> None:
        """Measure the tuned prompts on the test pictures, unless that was done, and move the keyboard focus to the name field."""
        self._result.measure()
        self.save.on_changed()
        self.save.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_changed(self) -> None:
        """Show accuracy before and after tuning, class by class, and the checks, once measured; hide them until then."""
        result = self._result.result
        there = result is not None and result.compared is not None
        self._figures.setVisible(there)
        self._classes.setVisible(there and bool(self._result.classes()))
        checks = self._result.checks()
        self._checks_card.setVisible(there and bool(checks))
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
                measured(result.clean_accuracy, result.clean_interval),
                measured(other.clean_accuracy, other.clean_interval),
            ),
            Pair(
                self.tr("Under attack"),
                measured(result.robust_accuracy, result.robust_interval),
                measured(other.robust_accuracy, other.robust_interval),
            ),
        ]
        self.bars.set_pairs(tuple(pair for pair in pairs if pair.before is not None))
        self._tests.setText("\n".join(self._result.tests()))
        self.table.show_classes(self._result.classes(), (self.tr("plain text"), self.tr("the tuned prompts")))
        self.checks.set_checks(checks)

    def on_saved(self, saved: TunedSaved) -> None:
        """Show in the banner the folder in which the prompts were saved, or the name under which `saved` has them installed."""
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
        """Show in the banner why the prompts were not saved: the message and the hint of `failure`."""
        self.banner.show_message("error", failure.message, failure.hint)

    def on_open_folder(self) -> None:
        """Open the folder of the saved prompts in the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder))

    def on_use(self) -> None:
        """Choose plain text as variant A, the tuned prompts as B and the model they were tuned for; show the Explore page."""
        model, saved = self.desk.model, self.desk.tuning.project.state.saved
        made_by = self.desk.tuning.run.made_by
        model.set_model(made_by.model if made_by else self.desk.tuning.project.state.model)
        model.sides.set_a(NO_PROMPTS)
        if saved and model.sides.info(saved) is not None:
            model.sides.set_b(saved)
        else:
            model.sides.open_file(str(self._result.prompts_file), "b")
        self.desk.navigation.go(EXPLORE)

    def on_report(self) -> None:
        """Show the Report page with the run chosen that measured the prompts on the test pictures."""
        self.desk.reports.show_run(self.desk.tuning.project.state.test_run)
        self.desk.navigation.go(REPORT)

    def _lay_out(self) -> None:
        left = (self.verdict, self._figures, self._classes, self._checks_card, (None, 1))
        right = (self.banner, Card(self.save), (None, 1))
        sides = [fill(QVBoxLayout(), *parts, spacing=12) for parts in (left, right)]
        body = QWidget()
        fill(QHBoxLayout(body), (sides[0], 3), (sides[1], 2), spacing=14, margins=(20, 14, 20, 14))
        fill(QVBoxLayout(self), scrolled(centred(body, _WIDTH)))
