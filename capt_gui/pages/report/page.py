"""The Report page: runs, pages, options; it assembles them and says what became of saving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from capt_engine.formatting import size
from capt_engine.records import Failure, ReportResult
from capt_gui.pages.report.options_column import OptionsColumn
from capt_gui.pages.report.preview_column import PreviewColumn
from capt_gui.pages.report.printing import Printing
from capt_gui.pages.report.runs_column import RunsColumn
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.view_models.runs_model import file_name, short
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.save_dialog import ask_where_to_save

_COLUMNS = [280, 670, 290]


class ReportPage(QWidget):
    """Three columns; before the first run only the centre is there, and leads to Explore."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._reports = desk.reports
        self._saved = Path()
        # a test answers in the dialog's place
        self.ask = ask_where_to_save
        self.banner = Banner(desk.theme)
        self._banner_room = QWidget()
        self.runs = RunsColumn(desk.theme, desk.reports)
        self.preview = PreviewColumn(desk.theme, desk.reports, desk.engine)
        self.options = OptionsColumn(desk.theme, desk.reports)
        self.printing = Printing(self, desk.reports)
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._actions = self._make_actions()
        self._lay_out()
        self._connect()
        self.on_changed()

    def menus(self) -> dict[str, list[QAction | None]]:
        """The page's actions for the menu bar."""
        return self._actions

    def take(self, _mime: QMimeData) -> bool:
        """Nothing that can be dropped belongs here."""
        return False

    def open_paths(self, _paths: list[str]) -> None:
        """Paths of the command line are pictures, and not for this page."""

    def tell(self, message: str) -> None:
        """Show a sentence that belongs to no control."""
        self._say("info", message)

    def prepare(self) -> None:
        """There is nothing slow to make."""

    def leave(self) -> None:
        """Remember the sizes of the columns."""
        if self._columns.isVisible() and self.runs.isVisible():
            self._desk.settings.report_columns = self._columns.sizes()

    def showEvent(self, event: QShowEvent) -> None:
        """Look for runs whenever the page comes to the front: there may be a new one."""
        super().showEvent(event)
        if not self._reports.runs.is_running:
            self._reports.runs.refresh()

    def on_changed(self) -> None:
        """The columns beside the pages are there once there is a run."""
        there = bool(self._reports.runs.runs)
        self.runs.setVisible(there)
        self.options.setVisible(there)
        may = not self._reports.problem()
        for action in self._needing_run:
            action.setEnabled(may)

    def on_kept(self) -> None:
        """A run was finished while this page is in front."""
        if self.isVisible():
            self._reports.runs.refresh()

    def on_save(self) -> None:
        """Ask where, and write the report."""
        reports = self._reports
        if reports.problem() or reports.writing.is_running:
            return
        kind = {"pdf": self.tr("PDF"), "html": self.tr("Web page"), "csv": self.tr("Table"), "json": self.tr("JSON")}
        folder = Path(self._desk.settings.last_folder or Path.home())
        start = folder / file_name(reports.chosen_runs, f".{reports.format}")
        out = self.ask(self, self.tr("Save the report"), start, {start.suffix: kind[reports.format]})
        if out:
            self._desk.settings.last_folder = str(Path(out).parent)
            reports.write(out)

    def on_written(self, result: ReportResult) -> None:
        """Say where it is."""
        self._saved = Path(result.out)
        pages = self.tr("{} pages, ").format(result.pages) if result.pages > 1 else ""
        hint = " ".join((f"{pages}{size(result.n_bytes)} · {self._saved.parent}", *result.notes))
        message = self.tr("Saved {}").format(short(result.out))
        self._say("done", message, hint, self.tr("Open folder"), self.tr("Open"))

    def on_failed(self, failure: Failure) -> None:
        """Say why nothing was saved."""
        self._say("error", failure.message, failure.hint)

    def on_problem(self, message: str, hint: str) -> None:
        """Say what could not be done."""
        self._say("warning", message, hint)

    def on_printed(self, printer: str) -> None:
        """Say where the paper comes out."""
        self._say("done", self.tr("Sent to {}").format(printer))

    def on_open_folder(self) -> None:
        """Show the saved file's folder."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._saved.parent)))

    def on_open(self) -> None:
        """Open the saved file with what the system has for it."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._saved)))

    def on_open_run(self) -> None:
        """Show the folder of the chosen run."""
        if len(self._reports.chosen) == 1:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._reports.chosen[0]))

    def on_explore(self) -> None:
        """There is no run: go where runs are made."""
        self._desk.navigation.go(EXPLORE)

    def _say(self, kind: str, message: str, hint: str = "", action: str = "", second: str = "") -> None:
        self.banner.show_message(kind, message, hint, action, second)
        self._banner_room.show()

    def _make_actions(self) -> dict[str, list[QAction | None]]:
        view = self.preview.view
        save = self._action(self.tr("&Save the report…"), self.on_save, "Ctrl+S")
        paper = self._action(self.tr("&Print…"), self.printing.start, "Ctrl+P")
        folder = self._action(self.tr("Open the &folder of the run"), self.on_open_run)
        self._needing_run = (save, paper)
        return {
            "&File": [save, paper, None, folder],
            "&View": [
                None,
                self._action(self.tr("Zoom &in"), view.zoom_in, "Ctrl++", "Ctrl+="),
                self._action(self.tr("Zoom &out"), view.zoom_out, "Ctrl+-"),
                self._action(self.tr("Fit the &width"), view.zoom_to_width, "Ctrl+0"),
                self._action(self.tr("Show a whole &page"), view.zoom_to_page, "Ctrl+9"),
                None,
                self._action(self.tr("Look for runs &again"), self._reports.runs.refresh, "F5"),
            ],
        }

    def _action(self, words: str, slot: Callable[[], None], *keys: str) -> QAction:
        action = QAction(words, self)
        action.triggered.connect(slot)
        action.setShortcuts([QKeySequence(key) for key in keys])
        return action

    def _lay_out(self) -> None:
        for widget, stretch in ((self.runs, 0), (self.preview, 1), (self.options, 0)):
            self._columns.addWidget(widget)
            self._columns.setStretchFactor(self._columns.indexOf(widget), stretch)
        self._columns.setChildrenCollapsible(False)
        self.runs.setMinimumWidth(180)
        self.preview.setMinimumWidth(440)
        self.options.setMinimumWidth(270)
        sizes = self._desk.settings.report_columns
        self._columns.setSizes(sizes if len(sizes) == 3 else _COLUMNS)
        room = QVBoxLayout(self._banner_room)
        room.setContentsMargins(12, 8, 12, 0)
        room.addWidget(self.banner)
        self._banner_room.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._banner_room)
        layout.addWidget(self._columns, 1)

    def _connect(self) -> None:
        reports = self._reports
        reports.changed.connect(self.on_changed)
        reports.runs.failed.connect(self.on_failed)
        reports.writing.done.connect(self.on_written)
        reports.writing.failed.connect(self.on_failed)
        self._desk.store.last_changed.connect(self.on_kept)
        self.runs.folder_clicked.connect(self.on_open_run)
        self.preview.explore_clicked.connect(self.on_explore)
        self.options.save_clicked.connect(self.on_save)
        self.options.print_clicked.connect(self.printing.start)
        self.printing.problem.connect(self.on_problem)
        self.printing.printed.connect(self.on_printed)
        self.banner.action_clicked.connect(self.on_open_folder)
        self.banner.second_clicked.connect(self.on_open)
        self.banner.dismissed.connect(self._banner_room.hide)
