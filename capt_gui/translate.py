"""Text of the window outside of QObjects, which have a `tr` of their own."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def tr(text: str) -> str:
    """Translate a text into the language of the window."""
    return QCoreApplication.translate("capt", text)


def counted(n: int, one: str, many: str) -> str:
    """Translate `one` for a single thing and `many` for any other number, which stands in the place of its "{}"."""
    return tr(one if n == 1 else many).format(n)
