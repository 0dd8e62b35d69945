"""The dialog that shows what a report of a problem needs, and copies it; nothing is sent."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_SIZE = QSize(720, 500)


class ProblemDialog(QDialog):
    """The text can be read and changed before it is copied."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Report a problem"))
        self.resize(_SIZE)
        about = text(
            self.tr(
                "This is what whoever mends the program needs. Read it, say above it what happened, copy it, and put it where "
                "you report the problem. Paths and names of pictures are left out as far as they are recognised. Nothing is sent from here."
            )
        )
        self.report = QPlainTextEdit(report)
        self.report.setAccessibleName(self.tr("Report of the problem"))
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setTabChangesFocus(True)
        self.note = text(role="caption")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setProperty("primary", True)
        self.copy.clicked.connect(self.on_copy)
        buttons.rejected.connect(self.reject)
        fill(QVBoxLayout(self), about, (self.report, 1), self.note, buttons, spacing=12, margins=16)

    def on_copy(self) -> None:
        """Put the text as it stands on the clipboard, and say so."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())
        self.note.setText(self.tr("Copied."))
