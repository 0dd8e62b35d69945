"""The Preferences dialog: every setting under its section, with a search over all of them."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from capt_gui.panels.preferences.row import PreferenceRow
from capt_gui.panels.preferences.shortcut_list import ShortcutList
from capt_gui.panels.preferences.stored_box import StoredBox
from capt_gui.panels.preferences.trash_box import TrashBox
from capt_gui.theme import Theme
from capt_gui.view_models.preferences.model import Preferences
from capt_gui.view_models.preferences.shortcuts import Shortcuts
from capt_gui.view_models.preferences.stored_results import StoredResults
from capt_gui.view_models.runs_model import RunsModel
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled

_SIZE = QSize(780, 540)
_LIST_WIDTH = 160


class PreferencesDialog(QDialog):
    """Sections on the left, their settings on the right; a change holds at once, or its row says from when on."""

    def __init__(
        self,
        theme: Theme,
        model: Preferences,
        shortcuts: Shortcuts,
        stored: StoredResults,
        runs: RunsModel,
        page_titles: dict[str, str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Preferences"))
        self.resize(_SIZE)
        self.search = QLineEdit(placeholderText=self.tr("Search the settings…"), clearButtonEnabled=True)
        self.search.setAccessibleName(self.tr("Search the settings"))
        self.sections = QListWidget()
        self.sections.setAccessibleName(self.tr("Sections"))
        self.sections.setFixedWidth(_LIST_WIDTH)
        self.sections.setProperty("places", True)
        self.sections.addItems([*model.sections(), self.tr("Shortcuts")])
        self.rows = {one.name: PreferenceRow(theme, model, one) for one in model.table}
        self.stored_box, self.trash_box = StoredBox(stored), TrashBox(theme, runs, model)
        # by the setting that each stands below
        self._boxes: dict[str, StoredBox | TrashBox] = {
            "trash_budget_gb": self.trash_box,
            "store_budget_gb": self.stored_box,
        }
        self._section_of = {one.name: one.section for one in model.table}
        self.shortcut_list = ShortcutList(shortcuts, page_titles)
        self._headings: dict[str, QLabel] = {}
        self._nothing = text(self.tr("No setting has these words."), "muted")
        column = fill(QVBoxLayout(), spacing=4, margins=(8, 0, 12, 0))
        for section in model.sections():
            self._headings[section] = text(section, "heading")
            column.addWidget(self._headings[section])
            for row in self.rows.values():
                if row.one.section == section:
                    column.addWidget(row)
                    if row.one.name in self._boxes:
                        column.addWidget(self._boxes[row.one.name])
        column.addStretch()
        body = QWidget()
        body.setLayout(column)
        self._settings = scrolled(body)
        self._shortcuts_heading = text(self.tr("Shortcuts"), "heading")
        self._shortcuts_box = QWidget()
        fill(QVBoxLayout(self._shortcuts_box), self._shortcuts_heading, (self.shortcut_list, 1), margins=(8, 0, 12, 0))
        right = fill(QVBoxLayout(), (self._settings, 3), (self._shortcuts_box, 4), self._nothing, (None, 0))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        middle = fill(QHBoxLayout(), self.sections, (right, 1), spacing=12)
        fill(QVBoxLayout(self), self.search, (middle, 1), buttons, spacing=12, margins=16)
        self.sections.currentRowChanged.connect(self.refresh)
        self.search.textChanged.connect(self.refresh)
        self.sections.setCurrentRow(0)
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def showEvent(self, event: QShowEvent) -> None:
        """Lay the list of sections out with the style it has once it is shown; Qt handles `event` too."""
        super().showEvent(event)
        self.sections.doItemsLayout()

    def show_section(self, number: int) -> None:
        """Show the section of this number, from 0, and forget what was searched for."""
        self.search.clear()
        self.sections.setCurrentRow(number)

    def refresh(self) -> None:
        """Show the settings of the chosen section, or those of all sections that fit what is searched for."""
        words = self.search.text().strip()
        item = self.sections.currentItem()
        section = item.text() if item is not None else ""
        shown: set[str] = set()
        for row in self.rows.values():
            fits = row.one.fits(words) if words else row.one.section == section
            row.setVisible(fits)
            if fits:
                shown.add(row.one.section)
        for name, box in self._boxes.items():
            fits = box.fits(words) if words else section == self._section_of[name]
            box.setVisible(fits)
            if fits:
                shown.add(self._section_of[name])
        for title, heading in self._headings.items():
            heading.setVisible(title in shown)
        n_keys = self.shortcut_list.filter(words)
        keys = bool(n_keys) if words else section == self._shortcuts_heading.text()
        self._settings.setVisible(bool(shown))
        self._shortcuts_box.setVisible(keys)
        self._nothing.setVisible(not shown and not keys)
        self.sections.setEnabled(not words)
