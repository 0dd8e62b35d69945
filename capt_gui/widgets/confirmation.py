"""The question before something is deleted."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget

from capt_gui.plain_text import message_box
from capt_gui.widgets.dialogs import answer_of


def confirm(parent: QWidget, title: str, question: str, answer: str, hint: str = "") -> bool:
    """Ask `question` in a dialog over `parent`, and return True only if the user chose the button named `answer`.

    Cancel is the default. title: of the dialog. hint: a second sentence, such as what will be lost, "" for none.
    """
    box = message_box(QMessageBox.Icon.Question, title, question, hint, parent)
    box.setStandardButtons(QMessageBox.StandardButton.Cancel)
    agreed = box.addButton(answer, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    answer_of(box)
    return box.clickedButton() is agreed
