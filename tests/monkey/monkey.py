"""Somebody who presses whatever can be pressed: seeded actions on a real window, and a hand that closes what opens over it."""

from __future__ import annotations

import random
import resource as limits
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QContextMenuEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QDialog,
    QFileDialog,
    QMainWindow,
    QMenu,
    QWidget,
)

SIZES = ((960, 600), (1280, 800), (1920, 1080), (1100, 700))
KEYS = (
    *(Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Delete),
    *(Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End),
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Backspace, Qt.Key.Key_F1),
)
WORDS = (
    "cat",
    "3,5",
    "0.25",
    "1e9",
    "-1",
    "",
    "a, b, c",
    "<img src=x>",
    "\u202egnp.tac",
    "a photo of a {}.",
    "\x1b[31m",
    "𝔘𝔫𝔦",
)
_ENDS = ("quit", "exit", "close window")


class Monkey:
    """Acts on a window, one seeded action at a time, and remembers them for whoever reads of a failure."""

    def __init__(self, window: QMainWindow, seed: int, files: list[Path]) -> None:
        """Take the window, the seed of the actions, and files and folders that may be dropped on it."""
        self._window, self._files = window, files
        self._draw = random.Random(seed)
        self.done: list[str] = []
        self._closer = QTimer(window, interval=30)
        self._closer.timeout.connect(self._close_what_is_over_it)
        self._closer.start()
        self._actions: tuple[tuple[Callable[[], str], int], ...] = (
            (self._press, 8),
            (self._choose, 3),
            (self._key, 5),
            (self._write, 2),
            (self._drop, 1),
            (self._resize, 1),
            (self._point, 2),
            (self._paste, 1),
            (self._context_menu, 1),
        )

    def act(self) -> None:
        """Do one thing, and let the window live for a moment."""
        actions, weights = zip(*self._actions, strict=True)
        (action,) = self._draw.choices(actions, weights)
        self.done.append(f"{action.__name__}: …")
        self.done[-1] = f"{action.__name__}: {action()}"
        QTest.qWait(self._draw.choice((1, 1, 5, 20)))

    def stop(self) -> None:
        """Close what is open, and act no more."""
        self._closer.stop()
        self._close_what_is_over_it()

    def _visible(self, kind: type[QWidget]) -> list[QWidget]:
        return [one for one in self._window.findChildren(kind) if one.isVisible() and one.isEnabled()]

    def _press(self) -> str:
        buttons = self._visible(QAbstractButton)
        if not buttons:
            return "no button"
        button = self._draw.choice(buttons)
        assert isinstance(button, QAbstractButton)
        said = button.text() or button.accessibleName() or button.objectName()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        return said

    def _choose(self) -> str:
        bar = [action for menu in self._window.menuBar().findChildren(QMenu) for action in menu.actions()]
        shown = [action for widget in self._visible(QWidget) for action in widget.actions()]
        actions = [
            one for one in (*bar, *shown) if one.isEnabled() and one.isVisible() and one.text() and not one.menu()
        ]
        actions = [one for one in actions if one.text().replace("&", "").lower() not in _ENDS]
        if not actions:
            return "no action"
        action = self._draw.choice(actions)
        said = action.text()
        action.trigger()
        return said

    def _key(self) -> str:
        key = self._draw.choice(KEYS)
        modifier = self._draw.choice(
            (Qt.KeyboardModifier.NoModifier,) * 4 + (Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier)
        )
        QTest.keyClick(QApplication.focusWidget() or self._window, key, modifier)
        return f"{key.name} {modifier.name}"

    def _write(self) -> str:
        word = self._draw.choice(WORDS)
        where = QApplication.focusWidget() or self._window
        for letter in word:
            if letter.isascii() and letter.isprintable():
                QTest.keyClick(where, letter)
        return word

    def _drop(self) -> str:
        paths = self._draw.sample(self._files, self._draw.randint(1, 2))
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        self._window.dropEvent(QDropEvent(QPointF(400, 300), copy, mime, left, none, QEvent.Type.Drop))
        return ", ".join(path.name for path in paths)

    def _resize(self) -> str:
        size = self._draw.choice(SIZES)
        self._window.resize(*size)
        return str(size)

    def _point(self) -> str:
        views = self._visible(QAbstractItemView)
        if not views:
            return "no list"
        view = self._draw.choice(views)
        assert isinstance(view, QAbstractItemView)
        inside = view.viewport()
        at = QPoint(
            self._draw.randrange(max(1, inside.width())), self._draw.randrange(max(1, min(300, inside.height())))
        )
        QTest.mouseClick(inside, Qt.MouseButton.LeftButton, pos=at)
        return f"{type(view).__name__} {at.toTuple()}"

    def _paste(self) -> str:
        board = QApplication.clipboard()
        if self._draw.random() < 0.5:
            board.setText(self._draw.choice(WORDS))
        else:
            image = QImage(40, 30, QImage.Format.Format_RGB32)
            image.fill(self._draw.randrange(0xFFFFFF))
            board.setImage(image)
        QTest.keyClick(QApplication.focusWidget() or self._window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        return "the clipboard"

    def _context_menu(self) -> str:
        widget = self._draw.choice(self._visible(QWidget))
        at = widget.rect().center()
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at))
        QApplication.sendEvent(widget, event)
        return type(widget).__name__

    def _close_what_is_over_it(self) -> None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            enabled = [one for one in popup.actions() if one.isEnabled()] if isinstance(popup, QMenu) else []
            popup.close()
            if enabled and self._draw.random() < 0.3:
                chosen = self._draw.choice(enabled)
                if chosen.text().replace("&", "").lower() not in _ENDS:
                    _later(chosen, chosen.trigger)
            return
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            return
        buttons = [one for one in dialog.findChildren(QAbstractButton) if one.isVisible() and one.isEnabled()]
        if isinstance(dialog, QFileDialog) or not buttons or self._draw.random() < 0.5:
            dialog.reject() if isinstance(dialog, QDialog) else dialog.close()
        else:
            button = self._draw.choice(buttons)
            _later(button, button.click)


def _later(what: QObject, do: Callable[[], object]) -> None:
    """Do it from the event loop: a timer is not fired again within its own slot, so nobody would close what opens there."""
    QTimer.singleShot(0, what, do)


def resident_bytes() -> int:
    """The memory that this process has in use now; its largest so far where the system does not say."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * limits.getpagesize()
    return limits.getrusage(limits.RUSAGE_SELF).ru_maxrss * 1024
