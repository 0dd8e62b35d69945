"""The jobs in the frame of the window: the button in the status bar, the list that it opens, and the marks on the rail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.jobs_model import JobsModel
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.jobs_button import JobsButton
from capt_gui.widgets.page_rail import PageRail

if TYPE_CHECKING:
    from capt_gui.panels.jobs_pane import JobsPane

KEYS = "Ctrl+J"


class JobsCorner(QObject):
    """Keeps button, list and marks in step with the jobs. `action` opens and closes the list from a menu."""

    def __init__(self, theme: Theme, jobs: JobsModel, rail: PageRail, places: dict[str, str], over: QWidget) -> None:
        """rail: the pages whose marks are kept. places: their titles by key. over: what the list lies over."""
        super().__init__(over)
        self._theme, self._jobs, self._rail, self._places, self._over = theme, jobs, rail, places, over
        self._pane: JobsPane | None = None
        self.button = JobsButton(theme, KEYS)
        self.action: QAction = make_action(self, self.tr("&Jobs"), self.on_toggle, KEYS)
        self.button.clicked.connect(self.on_toggle)
        jobs.changed.connect(self.on_changed)
        jobs.progressed.connect(self.on_progressed)
        self.on_changed()

    @property
    def pane(self) -> JobsPane:
        """Return the list, made now if nobody has opened it yet."""
        if self._pane is None:
            from capt_gui.panels.jobs_pane import JobsPane

            self._pane = JobsPane(self._theme, self._jobs, self._places, self._over)
            self._pane.open_changed.connect(self.button.setChecked)
        return self._pane

    def on_toggle(self) -> None:
        """Open the list if it is closed, and close it if it is open."""
        self.pane.toggle()

    def on_changed(self) -> None:
        """Show the state of all jobs on the button and the rail."""
        look = "running" if self._jobs.n_running else "failed" if self._jobs.n_failed_unseen else "idle"
        self.button.set_state(look, self._jobs.text())
        for page in self._places:
            self._rail.set_mark(page, *self._jobs.mark(page))

    def on_progressed(self, number: int) -> None:
        """Show how far the job with this number is on the button of its page."""
        one = self._jobs.entry(number)
        if one is not None and one.page in self._places:
            self._rail.set_mark(one.page, *self._jobs.mark(one.page))
