"""Somebody in front of the real window: looks for things by what they say, clicks, types, drops files, waits, takes pictures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QMimeData, QPoint, QPointF, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QAction, QDropEvent, QHelpEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget

from capt_gui.bridge import Bridge, real_engine
from capt_gui.main_window import MainWindow
from capt_gui.settings import FULL, AttackSettings, Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.view_models.settings_keeper import SettingsKeeper

PATIENCE_S = float(os.environ.get("CAPT_TOUR_PATIENCE_S", "180"))
_MOMENT_MS = 15

W = TypeVar("W", bound=QWidget)


def moment() -> None:
    """Let the window work for a moment; QTest.qWait would hold Python's lock meanwhile, and the engine's thread would starve."""
    loop = QEventLoop()
    QTimer.singleShot(_MOMENT_MS, loop.quit)
    loop.exec()


class Guest:
    """Somebody in front of the window: looks for things by what they say, clicks, types, drops files, waits and takes pictures."""

    def __init__(self, app: QApplication, folder: Path, settings: Settings | None = None) -> None:
        """settings: None for those of the tour, with the demo model and as few steps as show what there is to see."""
        width, _, height = os.environ.get("CAPT_TOUR_SIZE", "1280x800").partition("x")
        self.size = QSize(int(width), int(height))
        self.look = os.environ.get("CAPT_TOUR_THEME", "light")
        self.folder = folder
        few = AttackSettings(expert={"pgd": {"steps": 2}})
        self.settings = settings or Settings(model="demo", explore=few)
        self.bridge = Bridge(real_engine("cpu"))
        theme = Theme(app, self.look)
        self.desk: Desk = lay_out(self.bridge, self.settings, theme, folder / "runs", folder / "tuning")
        self.window = MainWindow(self.desk, SettingsKeeper(self.settings, None), folder / "logs", folder / "sessions")
        self.window.resize(self.size)
        self.window.show()
        for _ in self.window.preparations():
            pass
        self.bridge.open()
        self.until(lambda: self.desk.engine.is_ready)

    def until(self, done: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Let the window work until something is so; fails after three minutes."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "what was waited for did not come"
            moment()

    def settle(self) -> None:
        """Wait until no analysis, evaluation or tuning goes on, and the window has laid itself out."""
        desk = self.desk
        works = (desk.analysis, desk.evaluation.data, desk.evaluation.run, desk.tuning.run)
        self.until(lambda: not any(work.is_running for work in works))
        moment()

    def rest(self, moments: int = 40) -> None:
        """Let the window come to rest, as charts are drawn one after the other."""
        for _ in range(moments):
            moment()

    def find(self, kind: type[W], name: str, where: QWidget | None = None) -> W:
        """The visible part of a kind with this accessible name or text, in the window or in `where`, a dialog for example."""
        inside = where or self.window
        parts = [one for one in inside.findChildren(kind) if one.isVisible()]
        found = [one for one in parts if name in (one.accessibleName(), getattr(one, "text", str)())]
        assert found, f"no {kind.__name__} {name!r} among {sorted(one.accessibleName() for one in parts)}"
        return found[0]

    def click(self, name: str, where: QWidget | None = None) -> None:
        """Click the visible button with this text or accessible name."""
        button = self.find(QAbstractButton, name, where)
        assert button.isEnabled(), f"{name!r} is greyed out"
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def keys(self, keys: str, where: QWidget | None = None) -> None:
        """Press keys such as "Ctrl+2" on what has the focus, or on `where`."""
        QTest.keySequence(where or QApplication.focusWidget() or self.window, QKeySequence(keys))

    def type(self, letters: str, where: QWidget | None = None) -> None:
        """Type letters into what has the focus, or into `where`."""
        QTest.keyClicks(where or QApplication.focusWidget() or self.window, letters)

    def action(self, menu: str, name: str) -> QAction:
        """The action of this name in a menu of the window, both without "&" and "…"; it can be seen and chosen now."""
        bar = [one.menu() for one in self.window.menuBar().actions() if _bare(one.text()) == menu]
        assert bar, f"there is no menu {menu!r}"
        assert isinstance(bar[0], QMenu)
        seen = [one for one in _leaves(bar[0]) if one.isVisible()]
        found = [one for one in seen if _bare(one.text()) == name]
        assert found, f"no {name!r} in {menu!r}: {[_bare(one.text()) for one in seen]}"
        return found[0]

    def choose(self, menu: str, name: str) -> None:
        """Choose an entry of a menu by its name."""
        action = self.action(menu, name)
        assert action.isEnabled(), f"{name!r} is greyed out"
        action.trigger()

    def drop(self, *paths: Path | str) -> None:
        """Let files fall on the window, as a file manager would."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        self.window.dropEvent(QDropEvent(QPointF(400, 300), copy, mime, left, none))

    def find_label(self, words: str, where: QWidget | None = None) -> QLabel:
        """The visible label with these words."""
        labels = [one for one in (where or self.window).findChildren(QLabel) if one.isVisible()]
        found = [one for one in labels if one.text() == words]
        assert found, f"nothing says {words!r}"
        return found[0]

    def rest_on(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Rest with the mouse on a part, so that its tooltip comes."""
        spot = place or widget.rect().center()
        QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, spot, widget.mapToGlobal(spot)))

    def point(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Move the mouse over a part, to its middle or to a place in it."""
        QTest.mouseMove(widget, place or widget.rect().center())

    def words(self, where: QWidget | None = None) -> str:
        """All that labels say now, a line each."""
        labels = (where or self.window).findChildren(QLabel)
        return "\n".join(one.text() for one in labels if one.isVisible() and one.text())

    def dialog(self) -> QWidget:
        """The visible window that opened last beside the main window."""
        tops = [one for one in QApplication.topLevelWidgets() if one.isVisible() and one is not self.window]
        assert tops, "no dialog is open"
        return tops[-1]

    def shot(self, name: str, what: QWidget | None = None) -> None:
        """Save a picture of the window, or of a dialog, as NAME-WIDTHxHEIGHT-LOOK.png, where a folder for them is named."""
        place = os.environ.get("CAPT_TOUR_SHOTS")
        if not place:
            return
        moment()
        folder = Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}-{self.size.width()}x{self.size.height()}-{self.look}.png"
        assert (what or self.window).grab().save(str(file))

    def start_over(self) -> None:
        """Go back to Explore with no picture in the gallery, the demo model and the choices of the start."""
        for one in QApplication.topLevelWidgets():
            if one is not self.window and one.isVisible():
                one.close()
        if self.window.tour is not None:
            self.window.tour.end()
        self.desk.preferences.set("view", FULL)
        for work in (self.desk.analysis, self.desk.evaluation.run):
            if work.is_running:
                work.cancel()
        self.settle()
        self.desk.tour.leave()
        self.desk.gallery.remove(self.desk.gallery.paths())
        for kept in (self.desk.evaluation.run, self.desk.evaluation.ranking, self.desk.evaluation.data):
            kept.forget()
        fresh = Settings()
        for name in ("prompts", "compare", "aim", "eps", "classes", "class_list", "template", "auto_run"):
            setattr(self.settings, name, getattr(fresh, name))
        self.settings.model = "demo"
        self.desk.model.sides.fit()
        self.desk.model.changed.emit()
        # a style sheet for every widget takes seconds
        if self.desk.theme.choice != self.look:
            self.desk.theme.set_choice(self.look)
        self.window.show_page(EXPLORE)
        self.window.page.clear_banner()
        self.window.resize(self.size)
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)
        moment()

    def leave(self) -> None:
        """Close the window and its engine, and wait until both are gone."""
        self.window.close_unasked()
        assert self.bridge.close(60)
        self.bridge.deleteLater()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _bare(text: str) -> str:
    return text.replace("&", "").rstrip("…")


def _leaves(menu: QMenu) -> list[QAction]:
    found = []
    for action in menu.actions():
        inner = action.menu()
        found += _leaves(inner) if isinstance(inner, QMenu) else [action]
    return found
