"""All help of the window in one place: the guide, the glossary's sentences, the sheet of shortcuts, the report of a problem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QWidget

from capt_gui.panels.help.term_hover import TermHover
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.help.glossary import Glossary
from capt_gui.view_models.help.library import GLOSSARY, SHORTCUTS, Library, address
from capt_gui.view_models.help.problem_report import problem_report
from capt_gui.view_models.help.shortcut_sheet import shortcut_sheet
from capt_gui.view_models.help.topics import PROPERTY, page_topic
from capt_gui.view_models.preferences.shortcuts import Shortcuts
from capt_gui.widgets.actions import make_action

if TYPE_CHECKING:
    from capt_gui.panels.help.help_window import HelpWindow
    from capt_gui.panels.help.problem_dialog import ProblemDialog


class HelpDesk(QObject):
    """Answers from what ships; its window is made when it is first asked."""

    def __init__(
        self, window: QWidget, desk: Desk, logs: Path, shortcuts: Shortcuts, page_titles: dict[str, str]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._desk = desk
        self._logs = logs
        self._shortcuts = shortcuts
        self._page_titles = page_titles
        self._library = Library()
        self._hover: TermHover | None = None
        self._help: HelpWindow | None = None
        self.dialog: ProblemDialog | None = None
        # the key of the page in front
        self.page = ""

    @property
    def hover(self) -> TermHover:
        """The sentences of the glossary, read when they are first asked for."""
        if self._hover is None:
            self._hover = TermHover(Glossary(self._library))
        return self._hover

    @property
    def help(self) -> HelpWindow:
        """The window of the help."""
        if self._help is None:
            from capt_gui.panels.help.help_window import HelpWindow

            self._help = HelpWindow(self._desk.theme, self._library, self._is_offline, self._window)
        return self._help

    def _is_offline(self) -> bool:
        return self._desk.settings.offline

    def actions(self) -> list[QAction | None]:
        """Return the entries of the Help menu, None for a separator."""
        return [
            make_action(self, self.tr("&Help on what has the focus"), self.on_help, "F1"),
            make_action(self, self.tr("&Contents"), self.on_contents),
            make_action(self, self.tr("&Glossary"), self.on_glossary),
            make_action(self, self.tr("&Keyboard shortcuts"), self.on_shortcuts, "Ctrl+/", "Ctrl+?"),
            None,
            make_action(self, self.tr("Report a &problem…"), self.on_problem),
        ]

    def on_help(self) -> None:
        """Show the help for what the mouse rests on or what has the focus: its term, its part of the page, or the page."""
        self.help.go(self.topic(QApplication.focusWidget()))

    def on_contents(self) -> None:
        """Show the first page of the help."""
        self.help.search.clear()
        self.help.go("")

    def on_glossary(self) -> None:
        """Show the glossary."""
        self.help.go(address(GLOSSARY))

    def on_shortcuts(self) -> None:
        """Show the shortcuts of all actions as they are now."""
        self._library.put(SHORTCUTS, shortcut_sheet(self._shortcuts.commands, self._page_titles))
        self.help.go(address(SHORTCUTS))
        self.help.browser.refresh()

    def on_problem(self) -> None:
        """Show what a report of a problem needs, to be copied; nothing is sent."""
        engine, settings = self._desk.engine, self._desk.settings
        facts = {
            "Page": self._page_titles.get(self.page, self.page),
            "Window": f"{self._window.width()} × {self._window.height()}, scale {self._window.devicePixelRatioF():g}",
            "Look": f"{'dark' if self._desk.theme.is_dark else 'light'}, {settings.view} view",
            "Model": self._desk.model.label(settings.model),
        }
        from capt_gui.panels.help.problem_dialog import ProblemDialog

        report = problem_report(self._logs, engine.device, engine.failure, facts)
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = ProblemDialog(report, self._window)
        self.dialog.open()

    def topic(self, widget: QWidget | None) -> str:
        """Return the address of the help for `widget`, or for the term whose sentence is shown beside the mouse."""
        term = self.hover.shown or (self.hover.term_of(widget) if widget is not None else None)
        if term is not None:
            return address(GLOSSARY, term.anchor)
        while widget is not None:
            if place := widget.property(PROPERTY):
                return str(place)
            widget = widget.parentWidget()
        return page_topic(self.page)

    def show_term(self, window: QWidget, place: QPoint) -> bool:
        """Show the sentence for the term at `place` in `window`; return False where there is none."""
        return self.hover.show_at(window, place)
