"""Roles that a list or table model answers for each row, and that the view which paints it asks for."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt


class PictureRole(IntEnum):
    """A tile of the picture grid. THUMBNAIL is a QImage or None. CAPTION is one line below it, TONE the theme's role of its mark.

    TONE is "" for no mark. LEFT_OUT: painted as if it were not there. BROKEN: there will never be a thumbnail.
    """

    PATH = Qt.ItemDataRole.UserRole + 1
    THUMBNAIL = Qt.ItemDataRole.UserRole + 2
    CAPTION = Qt.ItemDataRole.UserRole + 3
    TONE = Qt.ItemDataRole.UserRole + 4
    LEFT_OUT = Qt.ItemDataRole.UserRole + 5
    BROKEN = Qt.ItemDataRole.UserRole + 6


class ClassRole(IntEnum):
    """A row of classes. NAME is the class. STRIP is a list of QImage or None. SORT compares; TONE colours a count.

    PARTS is (train, val, test, unused).
    """

    NAME = Qt.ItemDataRole.UserRole + 1
    STRIP = Qt.ItemDataRole.UserRole + 2
    LEFT_OUT = Qt.ItemDataRole.UserRole + 3
    SORT = Qt.ItemDataRole.UserRole + 4
    TONE = Qt.ItemDataRole.UserRole + 5
    PARTS = Qt.ItemDataRole.UserRole + 6


class GalleryRole(IntEnum):
    """A card of the gallery. THUMBNAIL is a QImage or None. STATE is one of Item.state.

    CAPTION is one line; MESSAGE is the longer text of a tooltip, such as why a picture failed. SIDES is empty, or where
    two were compared (state, caption) of A and of B. CELL is what a cell of the table shows: its text, the name of a state
    whose symbol stands before it ("" for none; of the first column the picture's own), and True for a number.
    """

    PATH = Qt.ItemDataRole.UserRole + 1
    NAME = Qt.ItemDataRole.UserRole + 2
    THUMBNAIL = Qt.ItemDataRole.UserRole + 3
    STATE = Qt.ItemDataRole.UserRole + 4
    CAPTION = Qt.ItemDataRole.UserRole + 5
    MESSAGE = Qt.ItemDataRole.UserRole + 6
    SIDES = Qt.ItemDataRole.UserRole + 7
    CELL = Qt.ItemDataRole.UserRole + 8
