"""Roles that a gallery model answers for each row."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt


class GalleryRole(IntEnum):
    """The roles of a gallery row.

    THUMBNAIL is a QImage or None. STATE is "waiting", "ready", "running", "held", "broken" or "failed".
    CAPTION is one line; MESSAGE is the longer text of a tooltip, such as why a picture failed. SIDES is empty, or where
    two were compared (state, caption) of A and of B.
    """

    PATH = Qt.ItemDataRole.UserRole + 1
    NAME = Qt.ItemDataRole.UserRole + 2
    THUMBNAIL = Qt.ItemDataRole.UserRole + 3
    STATE = Qt.ItemDataRole.UserRole + 4
    CAPTION = Qt.ItemDataRole.UserRole + 5
    MESSAGE = Qt.ItemDataRole.UserRole + 6
    SIDES = Qt.ItemDataRole.UserRole + 7
