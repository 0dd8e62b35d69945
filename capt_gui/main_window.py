"""The frame: pages from their table, menus, status bar, drop anywhere; it assembles and has no behaviour of its own."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QEvent, QMimeData, Qt, QUrl
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QHelpEvent,
    QIcon,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QWidget,
)

from capt_engine.resources import resource
from capt_gui.pages import PAGES
from capt_gui.panels.help.guided_tour import STOP, GuidedTour
from capt_gui.panels.help.help_desk import HelpDesk
from capt_gui.panels.help.window_tour import RAIL, window_stops
from capt_gui.panels.jobs_corner import JobsCorner
from capt_gui.panels.page import Page
from capt_gui.panels.page_stack import PageStack
from capt_gui.panels.session_menu import SessionMenu, is_session
from capt_gui.panels.window_menus import WindowMenus
from capt_gui.plain_text import message_box, plain_label
from capt_gui.settings import FULL, SIMPLE
from capt_gui.translate import later
from capt_gui.view_models import formatting
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.preferences.shortcuts import EVERYWHERE, Shortcuts
from capt_gui.view_models.preferences.stored_results import StoredResults
from capt_gui.view_models.settings_keeper import SettingsKeeper
from capt_gui.view_models.work_under_way import work_under_way
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.confirmation import confirm
from capt_gui.widgets.device_pill import DevicePill
from capt_gui.widgets.dialogs import answer_of
from capt_gui.widgets.layout import fill
from capt_gui.widgets.page_rail import PageRail

if TYPE_CHECKING:
    from capt_gui.panels.preferences.dialog import PreferencesDialog

_SIZE = (1280, 800)
MENUS = (later("&File"), later("&Edit"), later("&View"), later("&Run"), later("&Help"))
"""The menus in order; those in which the page in front has nothing are not shown."""
_THEMES = (("system", later("Follow the &system")), ("light", later("&Light")), ("dark", later("&Dark")))
_ABOUT = later(
    "Shows what a CLIP model sees in a picture, and whether a change too small to notice makes it see something else.\n\n"
    "Pictures never leave this computer. The network is used only for downloads you start."
)


class MainWindow(QMainWindow):
    """The main window: a rail with the pages beside the page in front, whose actions alone are in the menus."""

    def __init__(self, desk: Desk, keeper: SettingsKeeper, log_folder: Path, journals: Path | None = None) -> None:
        """log_folder: of the log files. journals: the folder for autosave, None for none (safe mode, tests)."""
        super().__init__()
        self.desk = desk
        self._keeper = keeper
        self._log_folder = log_folder
        self._titles = {EVERYWHERE: self.tr("Everywhere")} | {info.key: self.tr(info.title) for info in PAGES}
        self.shortcuts = Shortcuts(desk.settings, self, complete=lambda: self.pages)
        self.preferences = desk.preferences
        self.stored_results = StoredResults(desk.bridge, self)
        self.preferences_dialog: PreferencesDialog | None = None
        self.tour: GuidedTour | None = None
        self.help_desk = HelpDesk(self, desk, log_folder, self.shortcuts, self._titles)
        # a test answers in the dialog's place
        self.ask: Callable[[QWidget, str, str, str, str], bool] = confirm
        self._menus = WindowMenus(self, MENUS)
        self._page_actions: dict[str, QAction] = {}
        self._theme_actions: list[QAction] = []
        self.rail = PageRail(desk.theme)
        self.rail.setProperty(STOP, RAIL)
        self._stack = PageStack({info.key: partial(info.make, desk) for info in PAGES})
        self._note = plain_label()
        self._pill = DevicePill(desk.theme)
        self.setWindowTitle("CAPT Explorer")
        self.setWindowIcon(QIcon(str(resource("icons", "capt-explorer.svg"))))
        self.setAcceptDrops(True)
        frame = self._fill_pages()
        titles = {info.key: self.tr(info.title) for info in PAGES}
        self.jobs = JobsCorner(desk.theme, desk.jobs, self.rail, titles, frame)
        self.sessions = SessionMenu(self, self, desk, journals)
        self._fill_menus()
        self._stack.made.connect(self.on_page_made)
        self._fill_status_bar()
        self._restore()
        self.show_page(PAGES[0].key)
        self.rail.picked.connect(self.show_page)
        desk.navigation.requested.connect(self.show_page)
        desk.engine.changed.connect(self.on_engine_changed)
        desk.chart_file.saved.connect(self.show_message)
        desk.chart_file.failed.connect(self.show_message)
        desk.choices.changed.connect(keeper.touch)
        self.sessions.model.changed.connect(keeper.touch)
        self.sessions.model.shown.connect(self.on_session_shown)
        desk.reports.changed.connect(keeper.touch)
        desk.reports.runs.changed.connect(keeper.touch)
        desk.reports.runs.emptied.connect(self.show_message)
        desk.evaluation.choices.changed.connect(keeper.touch)
        desk.theme.changed.connect(self.on_theme_changed)
        self.shortcuts.changed.connect(keeper.touch)
        self.preferences.changed.connect(self.on_preference_changed)
        self.on_engine_changed()

    @property
    def page(self) -> Page:
        """Return the page that is shown now."""
        return self._stack.page(self._stack.front)

    @property
    def page_key(self) -> str:
        """Return the key of the page that is shown now."""
        return self._stack.front

    @property
    def pages(self) -> dict[str, Page]:
        """Return all pages by their keys; those that nobody has opened yet are made now."""
        return self._stack.all()

    def has_page(self, key: str) -> bool:
        """Return True if there is a page of this key."""
        return key in self._page_actions

    def views(self) -> dict[str, dict[str, Any]]:
        """Return what the pages show, by their keys, as a session keeps it."""
        return self._stack.views()

    def show_views(self, views: dict[str, dict[str, Any]]) -> None:
        """Let the pages show what `views` has for them; those that are not made yet do when they are."""
        self._stack.show_views(views)

    def show_page(self, key: str) -> None:
        """Show the page `key` and its menu actions, and hide the actions of all other pages, whose shortcuts then do nothing.

        The key is a name of `view_models/navigation.py`; another one raises KeyError.
        """
        self._stack.show_page(key)
        self.sessions.touch()
        self.rail.set_current(key)
        self._page_actions[key].setChecked(True)
        self.desk.jobs.set_front(key)
        self._menus.show_for(key)
        self.help_desk.page = key
        self._show_rail()

    def open_paths(self, paths: list[str]) -> None:
        """Open the first session among `paths`, files and folders; without one the first page (Explore) adds them to its gallery."""
        if session := next(filter(is_session, paths), ""):
            self.sessions.open(session)
        else:
            self.show_page(PAGES[0].key)
            self.page.open_paths(paths)

    def preparations(self) -> Iterator[None]:
        """Let every page make what is slow to make, such as charts, in pieces, before the engine needs the processor."""
        yield from self._stack.preparations()

    def show_message(self, message: str) -> None:
        """Show `message`, a sentence, as information in the banner of the page in front."""
        self.page.say("info", message)

    def on_page_made(self, key: str) -> None:
        """Put the actions of the page `key`, which was made a moment ago, into the menus, with the user's own keys."""
        self._menus.add(self._stack.page(key).menus(), key)
        self._menus.show_for(self._stack.front)
        self.shortcuts.take(self._menus.actions())

    def on_engine_changed(self) -> None:
        """Show in the status bar that the engine is starting, the device it computes on, or why it is not available."""
        engine = self.desk.engine
        self._note.setText(engine.waiting_text)
        if engine.failure is not None:
            self._pill.set_state("error", self.tr("Engine not available"), engine.failure.message)
        elif engine.device is None:
            self._pill.set_state("busy", self.tr("Starting"), engine.waiting_text)
        else:
            self._pill.set_state("ready", formatting.memory(engine.device), engine.device.note)

    def on_theme_changed(self) -> None:
        """Put the chosen look ("system", "light" or "dark") into the settings, which are saved soon."""
        self.desk.settings.theme = self.desk.theme.choice
        for action in self._theme_actions:
            action.setChecked(action.data() == self.desk.theme.choice)
        self._keeper.touch()

    def on_theme_chosen(self, action: QAction) -> None:
        """Change the look of the window to the data of the chosen menu `action`: "system", "light" or "dark"."""
        self.desk.theme.set_choice(action.data())

    def on_simple_toggled(self, checked: bool) -> None:
        """Show the simple view of Explore (`checked`), or everything; Explore comes to the front for it."""
        self.preferences.set("view", SIMPLE if checked else FULL)
        if checked:
            self.show_page(PAGES[0].key)

    def on_session_shown(self) -> None:
        """Show everything: a session that was opened may hold more than the simple view has room for."""
        self.preferences.set("view", FULL)

    def on_page_chosen(self, action: QAction) -> None:
        """Show the page whose key is the data of the chosen menu `action`."""
        self.show_page(action.data())

    def on_preferences(self) -> None:
        """Open the dialog of the settings."""
        from capt_gui.panels.preferences.dialog import PreferencesDialog

        if self.preferences_dialog is not None:
            self.preferences_dialog.deleteLater()
        self.preferences_dialog = PreferencesDialog(
            self.desk.theme,
            self.preferences,
            self.shortcuts,
            self.stored_results,
            self.desk.reports.runs,
            self._titles,
            self,
        )
        self.preferences_dialog.open()

    def on_preference_changed(self, name: str) -> None:
        """Let the change of the setting `name` hold at once where it can, and keep it."""
        # the engine reads some of them from the file
        self._keeper.save_now()
        settings, desk = self.desk.settings, self.desk
        if name == "theme":
            desk.theme.set_choice(settings.theme)
        elif name == "offline":
            desk.models.refresh()
        elif name in ("runs_budget_gb", "trash_days", "trash_budget_gb"):
            desk.reports.runs.refresh()
        elif name == "store_budget_gb":
            self.stored_results.refresh()
        elif name == "view":
            self._show_rail()

    def on_tour(self) -> None:
        """Walk through the window, in its full view, with the toy world as the example."""
        self.preferences.set("view", FULL)
        if self.tour is None:
            self.tour = GuidedTour(self.desk.theme, self, window_stops(self.desk, self.show_page))
        self.tour.start()

    def on_about(self) -> None:
        """Show a dialog with the version of the program, what it does, and when it uses the network."""
        version = metadata.version("capt-explorer")
        box = message_box(
            QMessageBox.Icon.NoIcon, self.tr("About CAPT Explorer"), f"CAPT Explorer {version}", self.tr(_ABOUT), self
        )
        box.setStandardButtons(QMessageBox.StandardButton.Ok)
        answer_of(box)

    def on_open_logs(self) -> None:
        """Open the folder of the log files in the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log_folder)))

    def event(self, event: QEvent) -> bool:
        """Show the glossary's sentence for a term that the mouse rests on; leave every other `event` to Qt.

        A part with a tooltip of its own shows that, and Qt asks no further.
        """
        place = event.pos() if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip else None
        return (place is not None and self.help_desk.show_term(self, place)) or super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept the drag of `event` if it carries files or a picture, and say in the status bar that it can be dropped.

        What is dragged out of this window is on its way to another program.
        """
        if event.source() is not None:
            event.ignore()
        elif event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self.statusBar().showMessage(self.tr("Let go to open"))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Clear the hint in the status bar, because what was dragged has left the window; Qt handles `event` further."""
        self.statusBar().clearMessage()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand the dropped data of `event` to the page in front, or if that has no use for it, to Explore, which is shown then."""
        self.statusBar().clearMessage()
        if self._take(event.mimeData()):
            event.acceptProposedAction()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Click the focused button when `event` is Return or Enter, as Space would; leave every other key to Qt."""
        focused = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton):
            if not event.isAutoRepeat():
                focused.click()
            return
        super().keyPressEvent(event)

    def close_unasked(self) -> None:
        """Close the window without a question, whatever goes on: the user ends the program from outside."""
        self.ask = lambda *_: True
        self.sessions.close_unasked()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let every page store its sizes and clean up, and save the settings, before Qt closes the window for `event`.

        Where work goes on that time was spent on, ask first, and stay open if the user wants that.
        """
        desk = self.desk
        works = work_under_way(desk.evaluation.run, desk.evaluation.ranking, desk.analysis, desk.tuning.run)
        if works:
            keep = all(work.is_kept for work in works)
            answer = self.tr("Close, keep what is there") if keep else self.tr("Close")
            question = "\n".join(work.title for work in works)
            if not self.ask(self, self.tr("Close CAPT Explorer"), question, answer, "\n".join(w.fate for w in works)):
                event.ignore()
                return
        if not self.sessions.may_close():
            event.ignore()
            return
        self.sessions.on_closing()
        for page in self._stack.built:
            page.leave()
        self.desk.settings.geometry = base64.b64encode(self.saveGeometry().data()).decode()
        self._keeper.save_now()
        super().closeEvent(event)

    def _take(self, mime: QMimeData) -> bool:
        """The first page takes what the page in front has no use for, and comes to the front with it."""
        if self.sessions.take(mime) or self.page.take(mime):
            return True
        if self.page_key == PAGES[0].key or not self._stack.page(PAGES[0].key).take(mime):
            return False
        self.show_page(PAGES[0].key)
        return True

    def _fill_pages(self) -> QWidget:
        for number, info in enumerate(PAGES, 1):
            self.rail.add(info.key, self.tr(info.title), info.icon, f"Ctrl+{number}")
        frame = QWidget()
        # the rail is last in the order of Tab: a window begins with its work
        fill(QHBoxLayout(frame), (self._stack, 1), spacing=0).insertWidget(0, self.rail)
        self.setCentralWidget(frame)
        return frame

    def _fill_menus(self) -> None:
        """The frame's entries stand before those of the pages in View, and behind them in the other menus."""
        self._menus.add({"&File": self.sessions.actions, "&View": self._view_actions()})
        last = {"&File": self._file_actions(), "&Edit": self._edit_actions(), "&Help": self._help_actions()}
        self._menus.add_last(last)
        self.shortcuts.take(self._menus.actions())

    def _file_actions(self) -> list[QAction | None]:
        return [None, make_action(self, self.tr("&Quit"), self.close, QKeySequence.StandardKey.Quit)]

    def _edit_actions(self) -> list[QAction | None]:
        return [None, make_action(self, self.tr("P&references…"), self.on_preferences, "Ctrl+,")]

    def _help_actions(self) -> list[QAction | None]:
        return [
            make_action(self, self.tr("Show me &around"), self.on_tour),
            *self.help_desk.actions(),
            make_action(self, self.tr("Open &log folder"), self.on_open_logs),
            make_action(self, self.tr("Abo&ut CAPT Explorer"), self.on_about),
        ]

    def _view_actions(self) -> list[QAction | None]:
        pages = QActionGroup(self)
        for number, info in enumerate(PAGES, 1):
            action = QAction(self.tr(info.title), pages, checkable=True, shortcut=QKeySequence(f"Ctrl+{number}"))
            action.setData(info.key)
            self._page_actions[info.key] = action
        pages.triggered.connect(self.on_page_chosen)
        group = QActionGroup(self)
        actions: list[QAction | None] = [*self._page_actions.values(), None, self.jobs.action, None]
        for choice, title in _THEMES:
            action = QAction(self.tr(title), group, checkable=True, checked=choice == self.desk.theme.choice)
            action.setData(choice)
            self._theme_actions.append(action)
            actions.append(action)
        group.triggered.connect(self.on_theme_chosen)
        simple = self.desk.settings.view == SIMPLE
        self.simple_action = make_action(self, self.tr("S&imple view"), self.on_simple_toggled, checked=simple)
        return [*actions, None, self.simple_action]

    def _show_rail(self) -> None:
        """In the simple view there is one page: the others are in the View menu, and come with the rail."""
        simple = self.desk.settings.view == SIMPLE
        self.simple_action.setChecked(simple)
        self.rail.setVisible(not simple or self.page_key != PAGES[0].key)

    def _fill_status_bar(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        self._note.setContentsMargins(10, 0, 0, 0)
        bar.addWidget(self._note, 1)
        for widget in self._status_widgets():
            bar.addPermanentWidget(widget)

    def _status_widgets(self) -> list[QWidget]:
        """The parts at the right end of the status bar, in order."""
        return [self.jobs.button, self._pill]

    def _restore(self) -> None:
        self.resize(*_SIZE)
        if self.desk.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(self.desk.settings.geometry.encode()))
        # a small screen should not lose the job bar below its edge
        room = self.screen().availableSize()
        self.resize(min(self.width(), room.width()), min(self.height(), room.height()))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
