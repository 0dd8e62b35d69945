"""Text of the window outside of QObjects, which have a `tr` of their own."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def tr(text: str) -> str:
    """Return `text` in the language of the window, unchanged where there is no translation."""
    return QCoreApplication.translate("capt", text)


def counted(n: int, one: str, many: str) -> str:
    """Return the translation of `one` if `n` is 1, else of `many`, with `n` in the place of "{}"."""
    return tr(one if n == 1 else many).format(n)
