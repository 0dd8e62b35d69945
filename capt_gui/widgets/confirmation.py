"""The question before something is deleted."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget


def confirm(parent: QWidget, title: str, question: str, answer: str, hint: str = "") -> bool:
    """Ask in a dialog, and return True if the user chose `answer`, such as "Delete"; Cancel is the default. hint: what is lost."""
    box = QMessageBox(QMessageBox.Icon.Question, title, question, QMessageBox.StandardButton.Cancel, parent)
    box.setInformativeText(hint)
    agreed = box.addButton(answer, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is agreed
