"""The answer to an unexpected error: a file in the log folder, and a dialog that can copy it. Nothing is sent."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from capt_engine.crash_log import shorten_home, where, write_report
from capt_engine.records import Failure
from capt_gui.plain_text import plain_label
from capt_gui.translate import spoken


class CrashDialog(QDialog):
    """Dialog that says that something went wrong, shows the crash report and copies it."""

    def __init__(self, path: Path | None, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self.setWindowTitle(self.tr("Something went wrong"))
        self.resize(720, 460)
        about = plain_label(
            self.tr(
                "CAPT Explorer met a problem it did not expect; this is a fault of ours, not yours. You can go on, but "
                "saving what matters and starting again is safer.\n\nThe report below stays on this computer. {}"
            ).format(spoken(where(path)))
        )
        about.setWordWrap(True)
        report = QPlainTextEdit(text)
        report.setReadOnly(True)
        report.setAccessibleName(self.tr("Crash report"))
        report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton(self.tr("Copy report"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.on_copy_clicked)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(about)
        layout.addWidget(report, 1)
        layout.addWidget(buttons)

    def on_copy_clicked(self) -> None:
        """Put the whole text of the crash report on the clipboard."""
        QGuiApplication.clipboard().setText(self._text)


class CrashReporter(QObject):
    """Writes a report of every unexpected error of any thread, and shows one at a time on the window's thread."""

    _happened = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._dialog: CrashDialog | None = None
        self._happened.connect(self.on_happened)

    def install(self) -> None:
        """Report uncaught exceptions of all threads from now on, by replacing `sys.excepthook` and `threading.excepthook`."""
        sys.excepthook = self.on_exception
        threading.excepthook = self.on_thread_exception

    def uninstall(self) -> None:
        """Put back Python's own `sys.excepthook` and `threading.excepthook`, which only print an uncaught exception."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def on_exception(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        """Report an uncaught exception, given by its class `kind`, its `value` and its traceback `trace`.

        A KeyboardInterrupt (Ctrl+C) is only printed.
        """
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, value, trace)
            return
        self.report("".join(traceback.format_exception(kind, value, trace)))

    def on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        """Report the uncaught exception that ended a thread, with `args` as `threading.excepthook` gets them."""
        if args.exc_value is not None:
            self.on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    def report_failure(self, failure: Failure) -> None:
        """Report the `failure` of a job if it carries a traceback, which means a bug; pass over one without, which was foreseen."""
        if failure.traceback:
            self.report(f"{failure.kind}: {failure.message}\n\n{failure.traceback}")

    def report(self, details: str) -> None:
        """Log `details`, the text of an unexpected error, and have the window's thread show it in a dialog; any thread may call this."""
        logging.getLogger(__name__).error("Unexpected: %s", shorten_home(details))
        self._happened.emit(details)

    def on_happened(self, details: str) -> None:
        """Write a crash report with `details`, the text of an error, to disk, and show it in a dialog unless one is open already."""
        path, text = write_report(self._folder, details)
        if self._dialog is not None:
            if self._dialog.isVisible():
                return
            self._dialog.deleteLater()
        self._dialog = CrashDialog(path, text)
        self._dialog.show()
