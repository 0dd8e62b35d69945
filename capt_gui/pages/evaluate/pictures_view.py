"""The pictures before they are evaluated: what there is to know about them, and class by class how many."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from capt_gui.panels.notice_list import NoticeList
from capt_gui.theme import Theme
from capt_gui.view_models.class_table_model import STRIP_COLUMN, ClassTableModel
from capt_gui.view_models.evaluate.data import EvaluateData
from capt_gui.widgets.card import Card
from capt_gui.widgets.class_table import ClassTable
from capt_gui.widgets.failed_list import FailedList
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import fill


class PicturesView(QWidget):
    """Shows what the scan found: warnings, a table of classes, and the files that cannot be read."""

    def __init__(self, theme: Theme, data: EvaluateData, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = data
        self.notices = NoticeList(theme)
        self.filter = QLineEdit()
        self.table = ClassTable(theme, STRIP_COLUMN, only_shows=True)
        self.failed = FailedList(theme)
        self._failed_card = Card(self.failed)
        self._rows = ClassTableModel(data, parent=self)
        self._lay_out()
        self.table.set_model(self._rows)
        self.filter.textChanged.connect(self.table.set_filter)
        data.changed.connect(self.on_changed)
        self._key: tuple[int, str] = (0, "")
        self.on_changed()

    def on_changed(self) -> None:
        """Show the warnings, the classes and the unreadable files that the present scan found."""
        data = self._data
        self.notices.show_notices(data.notices())
        key = (id(data.result), data.split)
        if key != self._key:
            self._key = key
            self._rows.show(data.shown(), frozenset())
        else:
            self._rows.refresh()
        self.failed.show_failed(data.unreadable)
        self._failed_card.setVisible(bool(data.unreadable))

    def _lay_out(self) -> None:
        self.filter.setPlaceholderText(self.tr("Filter classes"))
        self.filter.setAccessibleName(self.tr("Filter the classes"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(220)
        note = text(self.tr("Your files are only read, never changed."), "caption")
        table = Card(column(self.filter, (self.table, 1), note))
        fill(QVBoxLayout(self), self.notices, (table, 1), self._failed_card, spacing=10, margins=(16, 12, 12, 12))
