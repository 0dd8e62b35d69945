"""The menu of kept projects: begin another, open one, remove one, put one back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.view_models.runs_model import when
from capt_gui.view_models.tune.project import KeptProject, TuneProject
from capt_gui.widgets.actions import empty, menu_line
from capt_gui.widgets.confirmation import confirm

_SHOWN = 12


class ProjectsMenu(QToolButton):
    """Button with a menu of the kept projects, which is filled each time it opens."""

    def __init__(self, theme: Theme, project: TuneProject, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._project = project
        # a test answers in the dialog's place
        self.confirm = self._ask
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setText(self.tr("Projects"))
        self.setAccessibleName(self.tr("Projects"))
        set_tooltip(self, self.tr("Begin another project, or go back to one"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(24, 18))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(self._menu)
        theme.changed.connect(self.on_theme_changed)
        self.on_theme_changed()

    def fill(self) -> None:
        """Fill the menu: begin a project; open or remove one of the 12 changed last; put back one of the 12 removed last."""
        empty(self._menu)
        busy = self._project.is_busy
        if busy:
            self._add(self._menu, self.tr("Tuning goes on in this project"), None).setEnabled(False)
        self._add(self._menu, self.tr("New pro&ject"), self.on_new).setEnabled(not busy)
        kept, gone = self._project.projects()[:_SHOWN], self._project.removed()[:_SHOWN]
        if kept:
            self._add_kept(kept, busy=busy)
        if gone:
            self._menu.addSeparator()
            back = self._menu.addMenu(self.tr("Put &back"))
            for project in gone:
                self._add(back, menu_line(project.state.title, when(project.written)), self.on_put_back, project.id)

    def _add_kept(self, kept: Sequence[KeptProject], *, busy: bool) -> None:
        self._menu.addSeparator()
        remove = QMenu(self.tr("&Remove"), self._menu)
        for project in kept:
            label = menu_line(project.state.title, when(project.written))
            action = self._add(self._menu, label, self.on_open, project.id)
            action.setCheckable(True)
            action.setChecked(project.id == self._project.id)
            action.setEnabled(not busy and project.id != self._project.id)
            gone = self._add(remove, label, self.on_remove, project.id)
            gone.setEnabled(not (busy and project.id == self._project.id))
        self._menu.addSeparator()
        self._menu.addMenu(remove)

    def on_new(self) -> None:
        """Save the present project, and begin an empty one."""
        self._project.start_new()

    def on_open(self) -> None:
        """Save the present project, and open the one whose menu entry was chosen."""
        self._project.open(self._data())

    def on_remove(self) -> None:
        """Ask the user to confirm, then move the project whose menu entry was chosen to the trash; refused, do nothing.

        The pictures, and prompts that were saved, stay.
        """
        chosen = next((each for each in self._project.projects() if each.id == self._data()), None)
        if chosen is not None and self.confirm(chosen):
            self._project.remove(chosen.id)

    def on_put_back(self) -> None:
        """Put the project whose menu entry was chosen back among the others."""
        self._project.put_back(self._data())

    def on_theme_changed(self) -> None:
        """Draw the button's icon in the colours of the present look, light or dark."""
        self.setIcon(self._theme.icon_beside_text("folder", "text_muted"))

    def _data(self) -> str:
        sender = self.sender()
        return str(sender.data()) if isinstance(sender, QAction) else ""

    def _add(self, menu: QMenu, label: str, slot: object, data: str = "") -> QAction:
        action = menu.addAction(label)
        action.setData(data)
        if slot is not None:
            action.triggered.connect(slot)
        return action

    def _ask(self, project: KeptProject) -> bool:
        question = self.tr("Remove the project “{}”?").format(project.state.title)
        hint = self.tr(
            "It can be put back from this menu for 30 days. Your pictures, and prompts that you saved, stay as they are."
        )
        return confirm(self.window(), self.tr("Remove a project"), question, self.tr("Remove"), hint)
