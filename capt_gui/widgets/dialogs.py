"""The one place where dialogs are run, so that none outlives its answer."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog


def answer_of(dialog: QDialog) -> int:
    """Show `dialog` until it is answered, and return the answer as `QDialog.exec` does.

    It can be asked for its fields until control returns to the event loop, and is deleted then: a parent keeps every
    dialog that was made for it, so that those of a long day would gather.
    """
    try:
        return int(dialog.exec())
    finally:
        dialog.deleteLater()


def open_over(dialog: QDialog) -> None:
    """Show `dialog` over its parent and return at once; it is deleted once it is closed."""
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
