"""A dialog is there until its answer was read, and no longer."""

from __future__ import annotations

import ast
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

import capt_gui
from capt_gui.widgets.dialogs import answer_of, open_over

HOUSE = Path(capt_gui.__file__).parent


def settle() -> None:
    """Let objects go that were told to."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_an_answered_dialog_can_be_read_and_is_gone_then(qtbot: QtBot) -> None:
    """Its parent holds none of three."""
    parent = QWidget()
    qtbot.addWidget(parent)
    for number in range(3):
        dialog = QDialog(parent)
        field = QLineEdit(str(number), dialog)
        QTimer.singleShot(0, dialog.accept)
        assert answer_of(dialog) == QDialog.DialogCode.Accepted
        assert field.text() == str(number)
    settle()
    assert not parent.findChildren(QDialog)


def test_an_opened_dialog_is_gone_when_it_is_closed(qtbot: QtBot) -> None:
    """It stays while it is shown."""
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    dialog = QDialog(parent)
    open_over(dialog)
    settle()
    assert parent.findChildren(QDialog) == [dialog]
    dialog.close()
    settle()
    assert not parent.findChildren(QDialog)


def test_dialogs_are_run_in_one_place() -> None:
    """No other module of the window calls exec, but the one that starts the program."""
    found = [
        f"{file.relative_to(HOUSE)}:{node.lineno}"
        for file in sorted(HOUSE.rglob("*.py"))
        if file.name not in ("dialogs.py", "application.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "exec"
    ]
    assert not found
