"""The Report page: runs, pages, options; it assembles them and says what became of saving."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QWidget

from capt_engine.formatting import size
from capt_engine.records import EvaluateRequest, KeptRun, ReportResult
from capt_gui.pages.report.options_column import OptionsColumn
from capt_gui.pages.report.preview_column import PreviewColumn
from capt_gui.pages.report.printing import Printing
from capt_gui.pages.report.runs_column import RunsColumn
from capt_gui.panels.page import Menus, Page
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EVALUATE, EXPLORE
from capt_gui.view_models.runs_model import file_name, short
from capt_gui.widgets.actions import undo_actions
from capt_gui.widgets.columns import columns
from capt_gui.widgets.save_dialog import ask_where_to_save

_COLUMNS = [280, 650, 312]


class ReportPage(Page):
    """Page with kept runs, the pages of the report, and its options; before the first run only the middle is shown."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._reports = desk.reports
        self._saved = Path()
        # what was asked for as a report was saved, and how the banner says so
        self._told_saved: tuple[object, ...] = ()
        self._saved_words = ""
        self._asked_budget = 0.0
        self._beyond: tuple[str, ...] = ()
        # a test answers in the dialog's place
        self.ask = ask_where_to_save
        self.runs = RunsColumn(desk.theme, desk.reports)
        self.preview = PreviewColumn(desk.theme, desk.reports, desk.engine)
        self.options = OptionsColumn(desk.theme, desk.reports)
        self.printing = Printing(self, desk.reports)
        widths = desk.settings.report_columns if len(desk.settings.report_columns) == 3 else _COLUMNS
        self._columns = columns((self.runs, 0, 160), (self.preview, 1, 350), (self.options, 0, 296), sizes=widths)
        self.lay_out(self._columns)
        self.actions_by_menu = self._make_actions()
        self._connect()
        self.on_changed()

    def leave(self) -> None:
        """Store the widths of the columns in the settings, as the window closes."""
        if self._columns.isVisible() and self.runs.isVisible():
            self.desk.settings.report_columns = self._columns.sizes()

    def showEvent(self, event: QShowEvent) -> None:
        """Look for new runs on disk as the page comes to the front; Qt handles `event` too."""
        super().showEvent(event)
        if not self._reports.runs.is_running:
            self._reports.runs.refresh()

    def on_changed(self) -> None:
        """Show the columns once a run is kept or lies in the trash, and enable Save and Print if a report can be made."""
        there = bool(self._reports.runs.runs or self._reports.runs.trash)
        self.runs.setVisible(there)
        self.options.setVisible(there)
        may = not self._reports.problem()
        for action in self._needing_run:
            action.setEnabled(may)
        if self._told_saved and self._told_saved != self._asked():
            # what was saved is no longer what is asked for
            self._told_saved = ()
            if self.banner.accessibleName() == self._saved_words:
                self.clear_banner()

    def on_kept(self) -> None:
        """Look for runs on disk again, as one was just kept, if this page is in front."""
        if self.isVisible():
            self._reports.runs.refresh()

    def on_save(self) -> None:
        """Ask for a file and have the report of the chosen runs written there; do nothing while that is impossible."""
        reports = self._reports
        if reports.problem() or reports.writing.is_running:
            return
        kind = {"pdf": self.tr("PDF"), "html": self.tr("Web page"), "csv": self.tr("Table"), "json": self.tr("JSON")}
        folder = Path(self.desk.settings.last_folder or Path.home())
        start = folder / file_name(reports.chosen_runs, f".{reports.format}")
        out = self.ask(self, self.tr("Save the report"), start, {start.suffix: kind[reports.format]})
        if out:
            self.desk.settings.last_folder = str(Path(out).parent)
            reports.write(out)

    def on_written(self, result: ReportResult) -> None:
        """Show in the banner the file, pages and size of the report `result`, with buttons that open its folder and the file."""
        self._saved = Path(result.out)
        pages = self.tr("{} pages, ").format(result.pages) if result.pages > 1 else ""
        hint = " ".join((f"{pages}{size(result.n_bytes)} · {self._saved.parent}", *result.notes))
        message = self._saved_words = self.tr("Saved {}").format(short(result.out))
        self._told_saved = self._asked()
        self.offer(
            "done", message, hint, (self.tr("Open folder"), self.on_open_folder), (self.tr("Open"), self.on_open)
        )

    def _asked(self) -> tuple[object, ...]:
        """Return everything a report is asked for now: its runs, its form, how much it holds and hides."""
        reports = self._reports
        return (tuple(reports.chosen), reports.format, reports.is_short, reports.redact, reports.redact_classes)

    def on_deleted(self, titles: list[str]) -> None:
        """Say in the banner that the runs of these `titles` are in the trash, with a button that brings them back."""
        what = f"“{titles[0]}”" if len(titles) == 1 else self.tr("{} runs").format(len(titles))
        hint = self.tr("The trash keeps them for 30 days, as long as it is small and the disk has room.")
        message = self.tr("Moved to the trash: {}").format(what)
        self.offer("done", message, hint, (self.tr("Undo"), self._reports.runs.undo.undo))

    def on_runs_changed(self) -> None:
        """Ask what to do where the kept runs take more on the disk than their budget; once for each budget."""
        reports = self._reports
        excess = reports.excess()
        if not excess or self._asked_budget == reports.budget_bytes:
            return
        self._asked_budget = reports.budget_bytes
        beyond = reports.runs.oldest_beyond(reports.budget_bytes)
        self._beyond = beyond
        larger = (self.tr("Allow {}").format(size(reports.larger_budget())), self.on_allow_more)
        oldest = (
            self.tr("Delete the {} oldest").format(len(beyond)) if len(beyond) > 1 else self.tr("Delete the oldest")
        )
        answers = ((oldest, self.on_delete_beyond), larger) if beyond else (larger,)
        hint = self.tr("Nothing is deleted unless you do it; pinned runs always stay.")
        self.offer("warning", excess, hint, *answers)

    def on_delete_beyond(self) -> None:
        """Move the oldest runs to the trash, as many as the banner has offered."""
        self._reports.runs.delete(self._beyond)

    def on_allow_more(self) -> None:
        """Raise the budget of the kept runs, as the banner has offered."""
        self.clear_banner()
        self._reports.allow_more()

    def on_printed(self, printer: str) -> None:
        """Show in the banner that the pages were sent to the printer with the name `printer`."""
        self.say("done", self.tr("Sent to {}").format(printer))

    def on_open_folder(self) -> None:
        """Open the folder of the report that was saved last in the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._saved.parent)))

    def on_open(self) -> None:
        """Open the report that was saved last with the program that the system has for such files."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._saved)))

    def on_open_run(self) -> None:
        """Open the folder of the chosen run in the system's file manager; do nothing unless exactly one run is chosen."""
        if len(self._reports.chosen) == 1:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._reports.chosen[0]))

    def on_resume(self, run: KeptRun) -> None:
        """Go on with the stopped `run`, and show the page on which it goes on; say so where another one is under way."""
        evaluation = self.desk.evaluation.run
        if isinstance(run.request, EvaluateRequest):
            if evaluation.is_running:
                self.on_problem(self.tr("An evaluation goes on."), self.tr("Cancel it first, or wait for its end."))
                return
            evaluation.go_on(run)
            self.desk.navigation.go(EVALUATE)
        else:
            self.desk.analysis.go_on(run)
            self.desk.navigation.go(EXPLORE)

    def on_explore(self) -> None:
        """Show the Explore page, where pictures are analysed and runs are kept for reports."""
        self.desk.navigation.go(EXPLORE)

    def _make_actions(self) -> Menus:
        view = self.preview.view
        save = self.add_action(self.tr("Save the repor&t…"), self.on_save, "Ctrl+E")
        paper = self.add_action(self.tr("&Print…"), self.printing.start, "Ctrl+P")
        folder = self.add_action(self.tr("Open the &folder of the run"), self.on_open_run)
        self._needing_run = (save, paper)
        undo, redo = undo_actions(self, self._reports.runs.undo)
        return {
            "&File": [save, paper, None, folder],
            "&Edit": [undo, redo, None, self.runs.rename, self.runs.pin, self.runs.delete],
            "&Run": [self.runs.resume],
            "&View": [
                None,
                self.add_action(self.tr("&Zoom in"), view.zoom_in, "Ctrl++", "Ctrl+="),
                self.add_action(self.tr("Zoom o&ut"), view.zoom_out, "Ctrl+-"),
                self.add_action(self.tr("Fit the &width"), view.zoom_to_width, "Ctrl+0"),
                self.add_action(self.tr("Show a whole &page"), view.zoom_to_page, "Ctrl+9"),
                None,
                self.add_action(self.tr("Look for runs &again"), self._reports.runs.refresh, "F5"),
            ],
        }

    def _connect(self) -> None:
        reports = self._reports
        reports.changed.connect(self.on_changed)
        reports.runs.failed.connect(self.on_failed)
        reports.writing.done.connect(self.on_written)
        reports.writing.failed.connect(self.on_failed)
        self.desk.store.last_changed.connect(self.on_kept)
        self.desk.evaluation.run.running_changed.connect(self.on_kept)
        self.runs.folder_clicked.connect(self.on_open_run)
        self.runs.resume_clicked.connect(self.on_resume)
        self.preview.resume_clicked.connect(self.runs.on_resume)
        self.preview.explore_clicked.connect(self.on_explore)
        self.options.save_clicked.connect(self.on_save)
        self.options.print_clicked.connect(self.printing.start)
        self.printing.problem.connect(self.on_problem)
        self.printing.printed.connect(self.on_printed)
        reports.runs.deleted.connect(self.on_deleted)
        reports.runs.changed.connect(self.on_runs_changed)
