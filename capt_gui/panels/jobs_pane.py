"""The list of all jobs, over the lower right corner of whatever page is in front."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.jobs_model import JobEntry, JobsModel
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.job_row import JobRow, JobRowState
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled

_WIDTH = 400
_EDGE = 10


class JobsPane(QFrame):
    """Jobs that wait, run and have ended, over the page: nothing below moves when it opens. Esc closes it.

    open_changed: it was opened or closed.
    """

    open_changed = Signal(bool)

    def __init__(self, theme: Theme, jobs: JobsModel, places: dict[str, str], parent: QWidget) -> None:
        """places: the title of each page by its key. parent: what it lies over, at the lower right."""
        super().__init__(parent)
        self._theme, self._jobs, self._places = theme, jobs, places
        self._rows: dict[int, JobRow] = {}
        self._came_from: QWidget | None = None
        self.setProperty("jobsPane", True)
        self.setAccessibleName(self.tr("Jobs"))
        self._head = text(self.tr("Jobs"), "heading", wrap=False)
        self.clear = QPushButton(self.tr("Clear finished"))
        self.clear.setProperty("chip", True)
        self.clear.setAccessibleName(self.tr("Clear finished"))
        self.clear.setAccessibleDescription(self.tr("Takes them off this list; nothing is deleted."))
        self.close_button = IconButton(theme, "close", self.tr("Close (Esc)"))
        words = self.tr("Nothing runs. What you start on any page appears here, and what it came to.")
        self._empty = QWidget()
        fill(QVBoxLayout(self._empty), text(words, "caption"), margins=(14, 0, 14, 12))
        self._list = QWidget()
        self._list.setProperty("transparent", True)
        self._inner = fill(QVBoxLayout(self._list), (None, 1), spacing=0)
        self._area = scrolled(self._list)
        head = fill(QHBoxLayout(), (self._head, 1), self.clear, self.close_button, spacing=6, margins=(14, 10, 8, 8))
        self._whole = fill(QVBoxLayout(self), head, self._empty, (self._area, 1), spacing=0, margins=1)
        self.clear.clicked.connect(jobs.clear)
        self.close_button.clicked.connect(self.hide)
        jobs.changed.connect(self.on_changed)
        jobs.progressed.connect(self.on_progressed)
        parent.installEventFilter(self)
        self.hide()
        self.on_changed()

    def row(self, number: int) -> JobRow | None:
        """Return the row of the job with this number; None if it is not in the list."""
        return self._rows.get(number)

    def toggle(self) -> None:
        """Open the list if it is closed, and close it if it is open."""
        self.setVisible(self.isHidden())

    def on_changed(self) -> None:
        """Show the jobs in the order of the model, each in its present state."""
        entries = self._jobs.entries
        for number in set(self._rows) - {one.number for one in entries}:
            row = self._rows.pop(number)
            self._inner.removeWidget(row)
            row.hide()
            row.deleteLater()
        for at, one in enumerate(entries):
            if one.number not in self._rows:
                self._rows[one.number] = self._made(one.number)
            row = self._rows[one.number]
            if self._inner.indexOf(row) != at:
                self._inner.insertWidget(at, row)
            row.show_state(self._state(one))
        self.clear.setEnabled(self._jobs.has_ended)
        self._empty.setVisible(not entries)
        self._area.setVisible(bool(entries))
        self._place()

    def on_progressed(self, number: int) -> None:
        """Show how far the job with this number is."""
        one, row = self._jobs.entry(number), self._rows.get(number)
        if one is not None and row is not None and self.isVisible():
            row.show_state(self._state(one))

    def on_copy(self, number: int) -> None:
        """Copy the reason why the job with this number failed, with what is known of it, to the clipboard."""
        one = self._jobs.entry(number)
        if one is not None and one.failure is not None:
            parts = (one.title, one.text, one.failure.traceback)
            QGuiApplication.clipboard().setText("\n".join(part for part in parts if part))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner of what the list lies over, `watched`, when that is resized; Qt handles `event` too."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        """Take Esc before the page's own shortcut does; Qt handles every other `event`."""
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close the list when `event` is Esc; leave every other key to Qt."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            return
        super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Come to the front with fresh rows, and take the keyboard; Qt handles `event` too."""
        super().showEvent(event)
        self._came_from = self.window().focusWidget()
        self.on_changed()
        self.raise_()
        first = next(iter(self._jobs.entries), None)
        row = self._rows.get(first.number) if first is not None else None
        (row.first_button() if row is not None else self.close_button).setFocus(Qt.FocusReason.TabFocusReason)
        self.open_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Give the keyboard back to where it was; Qt handles `event` too."""
        super().hideEvent(event)
        if self._came_from is not None and self._came_from.isVisible():
            self._came_from.setFocus()
        self._came_from = None
        self.open_changed.emit(False)

    def _made(self, number: int) -> JobRow:
        row = JobRow(self._theme)
        row.cancel_clicked.connect(partial(self._jobs.cancel, number))
        row.retry_clicked.connect(partial(self._jobs.retry, number))
        row.open_clicked.connect(partial(self._jobs.open, number))
        row.copy_clicked.connect(partial(self.on_copy, number))
        return row

    def _state(self, one: JobEntry) -> JobRowState:
        place = self._places.get(one.page, "")
        return JobRowState(
            one.title, place, one.state, one.text, one.share, one.may_cancel, one.may_retry, one.may_open
        )

    def _place(self) -> None:
        """Lie in the lower right corner, as high as the rows, at most as high as there is room."""
        over = self.parentWidget()
        if over is None:
            return
        width = min(_WIDTH, over.width() - 2 * _EDGE)
        self._list.setFixedWidth(max(0, width - 2))
        rows = self._list.sizeHint().height() if self._rows else 0
        head = self._whole.sizeHint().height() - (self._area.sizeHint().height() if self._rows else 0)
        height = min(head + rows, over.height() - 2 * _EDGE)
        self.setGeometry(over.width() - width - _EDGE, over.height() - height - _EDGE, width, height)
