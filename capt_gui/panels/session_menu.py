"""Sessions in the File menu and in the window's title: new, open, recent, save; and the questions that come with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QMessageBox

from capt_engine.records import Failure
from capt_engine.session.journal import KeptJournal
from capt_gui.panels.page import Page
from capt_gui.plain_text import message_box, set_tooltip
from capt_gui.translate import counted
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.runs_model import when
from capt_gui.view_models.session.loading import Loaded
from capt_gui.view_models.session.session_model import SUFFIX, SessionModel
from capt_gui.widgets.actions import empty, make_action, menu_line
from capt_gui.widgets.dialogs import answer_of
from capt_gui.widgets.drop_area import local_paths
from capt_gui.widgets.save_dialog import ask_where_to_save

SAVE, DISCARD, CANCEL = "save", "discard", "cancel"
"""The answers to "Save the changes?"."""
_TITLE = "CAPT Explorer"


class Frame(Protocol):
    """The part of the main window that sessions work with."""

    @property
    def page(self) -> Page:
        """The page in front."""

    def views(self) -> dict[str, dict[str, Any]]:
        """All that the pages show, by their keys, as a session keeps it."""

    def show_views(self, views: dict[str, dict[str, Any]]) -> None:
        """Let the pages show what a session has for them."""

    def has_page(self, key: str) -> bool:
        """True if there is a page of this key."""

    @property
    def page_key(self) -> str:
        """The key of the page in front."""

    def show_page(self, key: str) -> None:
        """Bring a page to the front."""

    def open_paths(self, paths: list[str]) -> None:
        """Open pictures, folders and sessions."""


class SessionMenu(QObject):
    """Its `actions` are for the File menu; `may_close` asks before the window closes; `take` opens a session that is dropped."""

    def __init__(self, window: QMainWindow, frame: Frame, desk: Desk, folder: Path | None) -> None:
        """folder: of the journals, None for no autosave."""
        super().__init__(window)
        self._window = window
        self._frame = frame
        self._desk = desk
        self.model = SessionModel(desk, folder, self._views, self)
        # a test answers in the dialogs' place
        self.ask_to_save: Callable[[], str] = self._ask_to_save
        self.ask_where: Callable[[str], str] = self._ask_where
        self.ask_what: Callable[[], list[str]] = self._ask_what
        self.ask_for_folder: Callable[[Loaded], str | None] = self._ask_for_folder
        # done once what has changed is saved
        self._then: Callable[[], object] | None = None
        self._is_unasked = False
        self._offered: KeptJournal | None = None
        self._recent = QMenu(window)
        self._recent.setToolTipsVisible(True)
        self._recent.aboutToShow.connect(self.on_recent_shown)
        self.actions = self._make_actions()
        model = self.model
        model.changed.connect(self.on_changed)
        model.said.connect(self.on_said)
        model.failed.connect(self.on_failed)
        model.incomplete.connect(self.on_incomplete)
        model.shown.connect(self.on_shown)
        model.saved.connect(self.on_saved)
        model.autosave.listed.connect(self.on_listed)
        desk.navigation.session_found.connect(self.open)
        desk.bridge.closing.connect(self.on_closing)
        self.on_changed()

    def open(self, path: str) -> None:
        """Open the session in the file `path`, after the present one was saved or given up, if it needs that."""
        self._after_saving(lambda: self.model.open(path))

    def take(self, mime: QMimeData) -> bool:
        """Open the session that was dropped, `mime`; return False where that is none, or more than one file."""
        paths = local_paths(mime)
        if len(paths) != 1 or not is_session(paths[0]):
            return False
        self.open(paths[0])
        return True

    def may_close(self) -> bool:
        """Return True if the window may close now; else the user said no, or it closes once the session is saved."""
        if self._is_unasked:
            return True
        if self.model.is_saving:
            self._then = self._window.close
            return False
        answer = self.ask_to_save() if self._must_ask() else DISCARD
        if answer == SAVE:
            self._then = self._window.close
            self.model.save()
        return answer == DISCARD

    def close_unasked(self) -> None:
        """Let the window close without a question; what is not saved is offered at the next start."""
        self._is_unasked = True

    def touch(self) -> None:
        """Note that another page or picture came to the front."""
        self.model.touch()

    def on_new(self) -> None:
        """Begin an empty session, and say how the one of before can be had again."""
        self._after_saving(self._begin_new)

    def on_open(self) -> None:
        """Ask for a session, or for pictures, and open them."""
        paths = self.ask_what()
        if paths:
            self._desk.settings.last_folder = str(Path(paths[0]).parent)
            self._frame.open_paths(paths)

    def on_save(self) -> None:
        """Save the session where it was saved last; ask for a place the first time."""
        if self.model.path:
            self.model.save()
        else:
            self.on_save_as()

    def on_save_as(self) -> None:
        """Ask for a file and save the session there."""
        if path := self.ask_where(self.model.path):
            self.model.save(path)

    def on_recent_chosen(self, action: QAction) -> None:
        """Open the session of the chosen entry of the menu."""
        chosen = action.data()
        if isinstance(chosen, KeptJournal):
            self._after_saving(lambda: self.model.reopen(chosen))
        elif chosen:
            self.open(str(chosen))

    def on_recent_shown(self) -> None:
        """Fill the menu of recent sessions: files, those that are gone in grey, and sessions that nobody saved."""
        menu = self._recent
        empty(menu)
        for path in self.model.recent:
            there = Path(path).is_file()
            action = menu.addAction(menu_line(Path(path).stem, *([] if there else [self.tr("not found")])))
            action.setData(path)
            action.setEnabled(there)
            set_tooltip(action, path)
        if kept := self.model.kept:
            menu.addSeparator()
            menu.addAction(self.tr("Not saved:")).setEnabled(False)
            for one in kept:
                menu.addAction(menu_line(*self._facts(one))).setData(one)
        menu.addSeparator()
        clear = menu.addAction(self.tr("&Clear the list"), self.model.forget_recent)
        clear.setEnabled(bool(self.model.recent))

    def recent_entries(self) -> list[QAction]:
        """Return the entries of the menu of recent sessions, as they were when it was shown last."""
        return self._recent.actions()

    def on_changed(self) -> None:
        """Show the name of the session in the title, with a mark while it differs from its file."""
        model = self.model
        self._window.setWindowTitle(f"{model.name}[*] — {_TITLE}" if model.name else _TITLE)
        self._window.setWindowModified(bool(model.name) and model.is_changed)
        for action in (self._new, self._open, self._save, self._save_as):
            action.setEnabled(not model.is_busy)

    def on_said(self, kind: str, message: str, hint: str) -> None:
        """Show a message about the session in the banner of the page in front."""
        self._frame.page.say(kind, message, hint)

    def on_failed(self, failure: Failure) -> None:
        """Say in the banner of the page in front why a session could not be read or written."""
        self._then = None
        self._frame.page.on_failed(failure)

    def on_incomplete(self, loaded: Loaded) -> None:
        """Ask for the folder of pictures that are not found; without one the session opens all the same."""
        folder = self.ask_for_folder(loaded)
        if folder:
            self.model.look_in(loaded, folder)
        elif folder is not None:
            self.model.put(loaded)

    def on_shown(self, page: str, views: dict[str, dict[str, Any]]) -> None:
        """Bring the page of the session to the front, and let each page show what it showed."""
        if self._frame.has_page(page):
            self._frame.show_page(page)
        self._frame.show_views(views)

    def on_saved(self) -> None:
        """Do what waited for the session to be saved."""
        self._window.statusBar().showMessage(self.tr("Saved"), 3000)
        then, self._then = self._then, None
        if then is not None:
            then()

    def on_listed(self) -> None:
        """Offer in the banner to open the session that was open when the program last ended without being closed."""
        crashed = next((one for one in self.model.kept if one.has_crashed), None)
        if crashed is None or self._offered is not None or not self.model.is_empty:
            return
        self._offered = crashed
        message = self.tr("The last session ended without being closed.")
        answers = ((self.tr("Reopen it"), self.on_reopen), (self.tr("Not now"), self.on_not_now))
        self._frame.page.offer("info", message, " · ".join(self._facts(crashed)), *answers)

    def on_reopen(self) -> None:
        """Open the session that the banner offers."""
        self._frame.page.clear_banner()
        if (offered := self._offered) is not None:
            self._after_saving(lambda: self.model.reopen(offered))

    def on_not_now(self) -> None:
        """Leave the session that the banner offers in the menu."""
        self._frame.page.clear_banner()
        if self._offered is not None:
            self.model.dismiss(self._offered)

    def on_closing(self) -> None:
        """Write what is left, as the window is gone."""
        self.model.close(asked=not self._is_unasked)

    def _begin_new(self) -> None:
        was_empty, was_saved = self.model.is_empty, bool(self.model.path)
        self.model.new()
        self.model.start()
        if not was_empty and not was_saved:
            message = self.tr("A new session has begun.")
            self._frame.page.say(
                "info", message, self.tr("The one of before was not saved; File › Open recent has it.")
            )

    def _after_saving(self, then: Callable[[], object]) -> None:
        """Do something that puts another session in the place of this one, once the user has said what becomes of this one."""
        if self.model.is_busy:
            return
        answer = self.ask_to_save() if self._must_ask() else DISCARD
        if answer == SAVE:
            self._then = then
            self.model.save()
        elif answer == DISCARD:
            then()

    def _must_ask(self) -> bool:
        self.model.look_now()
        return bool(self.model.path) and self.model.is_changed

    def _facts(self, kept: KeptJournal) -> tuple[str, ...]:
        """Return name or number of pictures, number of results, and time of a session that nobody saved."""
        pictures = counted(kept.n_pictures, "1 picture", "{} pictures")
        results = counted(kept.n_results, "1 with a result", "{} with results")
        return (*([Path(kept.file).stem] if kept.file else []), pictures, results, when(kept.written))

    def _views(self) -> tuple[str, dict[str, dict[str, Any]]]:
        return self._frame.page_key, self._frame.views()

    def _make_actions(self) -> list[QAction | None]:
        window, keys = self._window, QKeySequence.StandardKey
        self._new = make_action(window, self.tr("&New session"), self.on_new, keys.New)
        self._open = make_action(window, self.tr("&Open…"), self.on_open, keys.Open)
        recent = QAction(self.tr("Open &recent"), window)
        recent.setMenu(self._recent)
        self._recent.triggered.connect(self.on_recent_chosen)
        self._save = make_action(window, self.tr("&Save session"), self.on_save, keys.Save)
        self._save_as = make_action(window, self.tr("Save session &as…"), self.on_save_as, "Ctrl+Shift+S")
        return [self._new, self._open, recent, None, self._save, self._save_as, None]

    def _ask_to_save(self) -> str:
        question = self.tr("Save the changes to “{}”?").format(self.model.name)
        hint = self.tr("What you discard is kept for a while under File › Open recent.")
        box = message_box(QMessageBox.Icon.Question, _TITLE, question, hint, self._window)
        save, discard = QMessageBox.StandardButton.Save, QMessageBox.StandardButton.Discard
        box.setStandardButtons(save | discard | QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(save)
        return {save: SAVE, discard: DISCARD}.get(QMessageBox.StandardButton(answer_of(box)), CANCEL)

    def _ask_where(self, path: str) -> str:
        start = Path(path) if path else Path(self._desk.settings.last_folder or Path.home()) / self.tr("session.capt")
        return ask_where_to_save(self._window, self.tr("Save the session"), start, {SUFFIX: self.tr("Sessions")})

    def _ask_what(self) -> list[str]:
        kinds = self.tr(
            "Sessions and pictures (*.capt *.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff);;Sessions (*.capt);;All files (*)"
        )
        return QFileDialog.getOpenFileNames(self._window, self.tr("Open"), self._desk.settings.last_folder, kinds)[0]

    def _ask_for_folder(self, loaded: Loaded) -> str | None:
        """Return the folder to look in, "" to open the session without the pictures, None to leave everything as it is."""
        missing = loaded.missing
        question = counted(len(missing), "1 picture is not where it was.", "{} pictures are not where they were.")
        names = ", ".join(Path(one.path).name for one in missing[:3]) + (" …" if len(missing) > 3 else "")
        hint = self.tr(
            "{}\n\nName the folder they are in now. Without them the session opens with their results, which cannot be run again."
        )
        box = message_box(
            QMessageBox.Icon.Question, self.tr("Open the session"), question, hint.format(names), self._window
        )
        look = box.addButton(self.tr("Choose a folder…"), QMessageBox.ButtonRole.AcceptRole)
        without = box.addButton(self.tr("Open without them"), QMessageBox.ButtonRole.DestructiveRole)
        box.setStandardButtons(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(look)
        answer_of(box)
        if box.clickedButton() is look:
            return QFileDialog.getExistingDirectory(
                self._window, question, self._desk.settings.last_folder
            ) or self._ask_for_folder(loaded)
        return "" if box.clickedButton() is without else None


def is_session(path: str) -> bool:
    """Return True if the name of a file is that of a session."""
    return path.lower().endswith(SUFFIX)
