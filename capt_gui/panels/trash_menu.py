"""The button with what is in the trash: put a run back, or empty it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from capt_engine.formatting import size
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import counted
from capt_gui.view_models.runs_model import RunsModel, when
from capt_gui.widgets.actions import empty, menu_line
from capt_gui.widgets.confirmation import confirm

_SHOWN = 12


class TrashMenu(QToolButton):
    """Button with the number of deleted runs, and a menu that puts them back; hidden while the trash is empty."""

    def __init__(self, theme: Theme, runs: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._runs = runs
        # a test answers in the dialog's place
        self.confirm = self._ask
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(22, 16))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(self._menu)
        theme.changed.connect(self.on_theme_changed)
        runs.changed.connect(self.on_changed)
        self.on_theme_changed()
        self.on_changed()

    def fill(self) -> None:
        """Fill the menu with the 12 runs deleted last, which are put back when chosen, and with an entry that empties the trash."""
        empty(self._menu)
        for run in self._runs.trash[:_SHOWN]:
            action = self._menu.addAction(menu_line(run.title, when(run.deleted), size(run.n_bytes)))
            action.setData(run.folder)
            action.triggered.connect(self.on_put_back)
        self._menu.addSeparator()
        total = size(sum(run.n_bytes for run in self._runs.trash))
        self._menu.addAction(self.tr("Empty the trash ({})…").format(total)).triggered.connect(self.on_empty)

    def on_changed(self) -> None:
        """Show how many runs the trash holds, or hide the button where it holds none."""
        n = len(self._runs.trash)
        self.setVisible(bool(n))
        self.setText(self.tr("{} deleted").format(n))
        words = counted(n, "1 deleted run can be put back", "{} deleted runs can be put back")
        set_tooltip(self, words)
        self.setAccessibleName(words)

    def on_put_back(self) -> None:
        """Put back the run whose menu entry was chosen."""
        sender = self.sender()
        if isinstance(sender, QAction):
            self._runs.put_back([str(sender.data())])

    def on_empty(self) -> None:
        """Ask the user to confirm, then remove for good what is in the trash; refused, do nothing."""
        if self.confirm():
            self._runs.empty_trash()

    def on_theme_changed(self) -> None:
        """Draw the button's icon in the colours of the present look, light or dark."""
        self.setIcon(self._theme.icon_beside_text("restore", "text_muted"))

    def _ask(self) -> bool:
        n = len(self._runs.trash)
        question = counted(n, "Remove 1 deleted run for good?", "Remove {} deleted runs for good?")
        hint = self.tr("Their rows, figures and pictures cannot be brought back. Your own pictures stay as they are.")
        return confirm(self.window(), self.tr("Empty the trash"), question, self.tr("Remove"), hint)
