"""The centre: the pages as they will be, or what stands in their place."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from capt_engine.formatting import whole_percent
from capt_engine.records import PagesReady
from capt_gui.theme import Theme
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.report import reports_model as states
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.page_view import PageView
from capt_gui.widgets.placeholder import Placeholder


class PreviewColumn(QWidget):
    """Preview of the report's pages under a tool bar.

    explore_clicked: there is no run and the user wants to make one. resume_clicked: the chosen run was stopped and is to go on.
    """

    explore_clicked = Signal()
    resume_clicked = Signal()

    def __init__(self, theme: Theme, reports: ReportsModel, engine: EngineState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports = reports
        self._engine = engine
        self._first = False
        self.view = PageView(theme)
        self.placeholder = Placeholder(theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.placeholder)
        self._stack.addWidget(self.view)
        self._note = ElidedLabel()
        self._page = text(role="muted", wrap=False)
        self._zoom = text(role="caption", wrap=False)
        self._up, self._down, *zoom = (
            self._button(theme, icon, tip, slot)
            for icon, tip, slot in (
                ("chevron-up", self.tr("Previous page (Page up)"), self.view.previous_page),
                ("chevron-down", self.tr("Next page (Page down)"), self.view.next_page),
                ("zoom-out", self.tr("Zoom out (Ctrl+-)"), self.view.zoom_out),
                ("zoom-in", self.tr("Zoom in (Ctrl++)"), self.view.zoom_in),
                ("zoom-width", self.tr("Fit the width (Ctrl+0)"), self.view.zoom_to_width),
                ("zoom-fit", self.tr("Show a whole page (Ctrl+9)"), self.view.zoom_to_page),
            )
        )
        self._bar = QWidget()
        left = (self._up, self._down, 6, self._page, 14, (self._note, 1))
        fill(QHBoxLayout(self._bar), *left, self._zoom, 4, *zoom, spacing=4, margins=(16, 0, 16, 0))
        fill(QVBoxLayout(self), self._bar, (self._stack, 1), margins=(4, 12, 4, 0))
        self._stack.setMinimumHeight(200)
        self.placeholder.action_clicked.connect(self.on_action_clicked)
        self.view.page_changed.connect(self.on_page_changed)
        self.view.zoom_changed.connect(self.on_zoom_changed)
        reports.changed.connect(self.on_changed)
        reports.preview.pages_arrived.connect(self.on_pages_arrived)
        reports.preview.failed.connect(self.on_changed)
        engine.changed.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the pages of the report, or in their place the reason why there are none."""
        state = self._reports.state
        preparing = state == states.PREPARING
        if preparing and not self._reports.preview.is_running:
            self._first = True
        has_pages = state == states.SHOWN or (preparing and self.view.pages() > 0)
        self.view.set_faded(preparing and self._first)
        self._stack.setCurrentWidget(self.view if has_pages else self.placeholder)
        self._bar.setVisible(has_pages)
        other = not preparing and self._reports.format != "pdf"
        self._note.set_text(self._note_text(preparing), self.tr("Shown: the PDF's pages") if other else "")
        if not has_pages:
            self._show_text(state)

    def on_pages_arrived(self, event: PagesReady) -> None:
        """Show the pages that `event` brings; when the first page of a report is among them, all old ones are discarded."""
        if event.first == 0:
            self._first = False
            self.view.begin(event.total)
        for offset, page in enumerate(event.pages):
            self.view.put_page(event.first + offset, page)
        self.on_changed()

    def on_page_changed(self, page: int, pages: int) -> None:
        """Show that page number `page` (from 1) of `pages` is in front, and enable the buttons to the one before and after."""
        self._page.setText(self.tr("Page {} of {}").format(page, pages))
        self._up.setEnabled(page > 1)
        self._down.setEnabled(page < pages)

    def on_zoom_changed(self, factor: float) -> None:
        """Show the zoom `factor` as a percentage, 1.0 being 100 %."""
        self._zoom.setText(whole_percent(factor))

    def on_action_clicked(self) -> None:
        """Do what the button in place of the pages offers: ask for the Explore page, include all sections, or draw once more."""
        state = self._reports.state
        if state == states.NO_RUNS:
            self.explore_clicked.emit()
        elif state == states.NO_SECTIONS:
            self._reports.include_all()
        elif state == states.FAILED and self._is_stopped():
            self.resume_clicked.emit()
        elif state == states.FAILED:
            self._reports.try_again()

    def _note_text(self, preparing: bool) -> str:
        if preparing:
            return self._preparing()
        if self._reports.format in ("csv", "json"):
            return self.tr("The file holds all rows, but no pages: these are the PDF's.")
        if self._reports.format == "html":
            return self.tr("The web page has the same sections, without page breaks.")
        return ""

    def _preparing(self) -> str:
        waiting = self._engine.waiting_text
        if waiting:
            return waiting
        if self._reports.preview.is_waiting:
            return self.tr("Waiting for the work before it…")
        return self._reports.preview.progress.text or self.tr("Drawing the pages…")

    def _show_text(self, state: str) -> None:
        show, failure = self.placeholder.set_texts, self._reports.failure
        if state == states.NO_RUNS:
            title, action = self.tr("No runs are kept yet"), self.tr("Go to Explore")
            show(
                "report",
                title,
                self.tr("Attack a few pictures in Explore: every run is kept, and can be reported here."),
                action,
            )
        elif state == states.UNCHOSEN:
            show("report", self.tr("No run is chosen"), self.tr("Choose one on the left, or several to compare them."))
        elif state == states.NO_SECTIONS:
            title, action = self.tr("Every section is left out"), self.tr("Include all sections")
            show("report", title, self.tr("A report needs at least one of them."), action)
        elif state == states.FAILED and failure is not None:
            line = f"{failure.message} {failure.hint}".strip()
            action = self.tr("Resume") if self._is_stopped() else self.tr("Try again")
            show("warning", self.tr("The pages could not be drawn"), line, action, "warning")
        elif state == states.LOOKING:
            show("search", self.tr("Looking for runs…"), self._engine.waiting_text)
        else:
            show("report", self.tr("Preparing the pages…"), self._preparing())

    def _is_stopped(self) -> bool:
        """True if one run is chosen, and it was stopped and can be gone on with."""
        runs = self._reports.chosen_runs
        return len(runs) == 1 and runs[0].request is not None

    def _button(self, theme: Theme, icon: str, tip: str, slot: object) -> IconButton:
        button = IconButton(theme, icon, tip, "text_muted")
        button.clicked.connect(slot)
        return button
