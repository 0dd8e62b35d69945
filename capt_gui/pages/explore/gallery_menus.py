"""The menus above the pictures: which are shown, in which order, in which columns, and the views that were saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from capt_gui.settings import Condition, GallerySettings, SavedView
from capt_gui.view_models.explore.gallery_columns import (
    ANSWER,
    ATTACKED,
    ATTACKED_CONFIDENCE,
    CONFIDENCE,
    LABEL,
    OUTCOME,
    STATE,
    TAGS,
    USUAL,
    Column,
)
from capt_gui.view_models.explore.gallery_rows import GalleryRows
from capt_gui.widgets.actions import empty, menu_line
from capt_gui.widgets.range_dialog import Quantity, Range, ask_for_range
from capt_gui.widgets.word_dialog import ask_for_word

_LISTED = 20
_LOST, _KEPT = ("broken", "changed"), ("held", "kept")


class GalleryMenus(QObject):
    """Fills each menu when it is opened, with what there is to choose among just then."""

    def __init__(self, rows: GalleryRows, settings: GallerySettings, window: QWidget) -> None:
        super().__init__(window)
        self._rows = rows
        self._settings = settings
        self._window = window
        # a test answers in the dialogs' place
        self.ask_word = ask_for_word
        self.ask_range = ask_for_range
        self.filter = self._menu(self.fill_filter)
        self.order = self._menu(self.fill_order)
        self.columns = self._menu(self.fill_columns)
        self.views = self._menu(self.fill_views)

    def fill_filter(self) -> None:
        """Offer what pictures can be filtered by, with how many have each."""
        menu, rows = self.filter, self._rows
        empty(menu)
        sides = "ab" if f"{OUTCOME}.b" in rows.columns and rows.is_compared else "a"
        if sides == "ab":
            for first, second in ("ab", "ba"):
                words = self.tr("Only {} fails").format(first.upper())
                menu.addAction(words, partial(self._want_failing, first, second))
            menu.addSeparator()
        for side in sides:
            self._add_texts(menu, f"{OUTCOME}.{side}")
        for key in (LABEL, *(f"{key}.{side}" for side in sides for key in (ANSWER, ATTACKED)), TAGS, STATE):
            self._add_texts(menu, key)
        menu.addSeparator()
        for side in sides:
            for key in (CONFIDENCE, ATTACKED_CONFIDENCE):
                column = rows.columns[f"{key}.{side}"]
                menu.addAction(self.tr("{}…").format(column.title), partial(self.on_range, column.key))
        menu.addAction(self.tr("Range of a metric…"), partial(self.on_range, ""))
        menu.addSeparator()
        menu.addAction(self.tr("Show all pictures"), rows.clear_filter).setEnabled(rows.is_filtered)

    def fill_order(self) -> None:
        """Offer the columns that the pictures can be ordered by, and the direction."""
        menu, wanted = self.order, self._rows.wanted
        empty(menu)
        self._check(menu, self.tr("As they came"), not wanted.sort, partial(self._rows.set_order, ""))
        for down, words in ((False, self.tr("Smallest first")), (True, self.tr("Largest first"))):
            chosen = bool(wanted.sort) and wanted.descending == down
            action = self._check(menu, words, chosen, partial(self._turn, down))
            action.setEnabled(bool(wanted.sort))
        menu.addSeparator()
        for group, columns in self._groups():
            inner = menu.addMenu(group)
            for column in columns:
                slot = partial(self._rows.set_order, column.key, descending=column.is_number)
                self._check(inner, column.title, column.key == wanted.sort, slot)

    def fill_columns(self) -> None:
        """Offer the columns of the table, those that are shown with a mark."""
        menu, rows = self.columns, self._rows
        empty(menu)
        shown = [column.key for column in rows.shown_columns]
        for group, columns in self._groups():
            inner = menu.addMenu(group)
            for column in columns[1:] if columns[0].key == shown[0] else columns:
                self._check(inner, column.title, column.key in shown, partial(self._toggle, column.key))
        menu.addSeparator()
        menu.addAction(self.tr("The usual columns"), partial(self._set_columns, ()))

    def fill_views(self) -> None:
        """Offer the views that were saved, a way to save this one, and a way to forget one."""
        menu, views = self.views, self._settings.views
        empty(menu)
        for view in views:
            menu.addAction(menu_line(view.name), partial(self._rows.want, view))
        if views:
            menu.addSeparator()
        menu.addAction(self.tr("Save this view…"), self.on_save_view)
        if views:
            inner = menu.addMenu(self.tr("Forget a view"))
            for view in views:
                inner.addAction(menu_line(view.name), partial(self._forget, view.name))
        menu.addSeparator()
        menu.addAction(self.tr("All pictures, the usual columns"), partial(self._rows.want, SavedView("")))

    def open_header(self, number: int, place: QPoint) -> None:
        """Open at `place` on the screen a menu of what there is to do with the table's column of this number."""
        shown = self._rows.shown_columns
        menu = QMenu(self._window)
        if 0 <= number < len(shown):
            column = shown[number]
            for down, words in ((False, self.tr("Smallest first")), (True, self.tr("Largest first"))):
                menu.addAction(words, partial(self._rows.set_order, column.key, descending=down))
            if column.is_number:
                menu.addAction(self.tr("Filter by a range…"), partial(self.on_range, column.key))
            else:
                self._add_texts(menu, column.key)
            if number:
                menu.addAction(self.tr("Hide this column"), partial(self._toggle, column.key))
            menu.addSeparator()
        columns = menu.addAction(self.tr("Columns"))
        self.fill_columns()
        columns.setMenu(self.columns)
        menu.popup(place)
        menu.aboutToHide.connect(menu.deleteLater)

    def on_range(self, key: str) -> None:
        """Ask for a range of numbers in the column `key`, "" for any, and show only pictures within it."""
        quantities = [
            Quantity(column.key, column.title, column.unit, column.scale)
            for column in self._rows.columns.values()
            if column.is_number and (self._rows.is_compared or column.side != "b")
        ]
        start = next(
            (_range(one) for one in self._rows.wanted.conditions if one.column == key and not one.values),
            Range(key, -math.inf, math.inf),
        )
        title = self.tr("Show pictures within a range")
        if (chosen := self.ask_range(self._window, title, quantities, start)) is not None:
            low, high = (end if math.isfinite(end) else None for end in (chosen.low, chosen.high))
            self._rows.add_condition(Condition(chosen.key, (), low, high))

    def on_save_view(self) -> None:
        """Ask for a name, and keep filter, order and columns under it; one of the same name is replaced."""
        names = [view.name for view in self._settings.views]
        hint = self.tr(
            "It keeps filter, order and columns, not the pictures. The name of a saved view replaces that view."
        )
        name = self.ask_word(self._window, self.tr("Save this view"), self.tr("Name"), names, hint=hint)
        if not name:
            return
        columns = tuple(column.key for column in self._rows.shown_columns)
        view = replace(self._rows.wanted, name=name, columns=columns)
        others = [own for own in self._settings.views if own.name != name]
        self._settings.views = sorted((*others, view), key=lambda own: own.name.casefold())
        self._rows.wanted_changed.emit()

    def on_other_text(self, key: str) -> None:
        """Ask for one of the texts in the column `key`, and show only pictures that have it."""
        column = self._rows.columns[key]
        words = {column.word(text): text for text, _ in self._rows.texts_of(key) if text}
        answer = self.ask_word(self._window, self.tr("Show pictures"), column.title, list(words))
        if answer:
            self._rows.add_condition(Condition(key, (words.get(answer, answer),)))

    def _menu(self, fill: Callable[[], None]) -> QMenu:
        menu = QMenu(self._window)
        menu.aboutToShow.connect(fill)
        return menu

    def _add_texts(self, menu: QMenu, key: str) -> None:
        """Add a menu of the texts of a column; one text alone leaves nothing to choose, unless it is chosen."""
        column, texts = self._rows.columns[key], self._rows.texts_of(key)
        wanted = {text for one in self._rows.wanted.conditions if one.column == key for text in one.values}
        texts = [(text, count) for text, count in texts if text or len(texts) > 1]
        if not texts:
            return
        inner = menu.addMenu(column.title)
        for text, count in texts[:_LISTED]:
            words = menu_line(column.word(text) if text else self.tr("none"), f"{count:,}")
            self._check(inner, words, text in wanted, partial(self._toggle_text, key, text))
        if len(texts) > _LISTED:
            inner.addSeparator()
            inner.addAction(self.tr("Another…"), partial(self.on_other_text, key))

    def _check(self, menu: QMenu, words: str, checked: bool, slot: Callable[[], object]) -> QAction:
        action = menu.addAction(words, slot)
        action.setCheckable(True)
        action.setChecked(checked)
        return action

    def _groups(self) -> Iterable[tuple[str, list[Column]]]:
        groups: dict[str, list[Column]] = {}
        for column in self._rows.columns.values():
            if self._rows.is_compared or column.side != "b":
                groups.setdefault(column.group, []).append(column)
        return groups.items()

    def _want_failing(self, first: str, second: str) -> None:
        """Show the pictures that fooled one side and not the other."""
        kept = tuple(one for one in self._rows.wanted.conditions if not one.column.startswith(OUTCOME))
        failing = (Condition(f"{OUTCOME}.{first}", _LOST), Condition(f"{OUTCOME}.{second}", _KEPT))
        self._rows.want(replace(self._rows.wanted, conditions=(*kept, *failing)))

    def _toggle_text(self, key: str, text: str) -> None:
        condition = Condition(key, (text,))
        if condition in self._rows.wanted.conditions:
            self._rows.remove_condition(condition)
        else:
            self._rows.add_condition(condition)

    def _turn(self, down: bool) -> None:
        self._rows.set_order(self._rows.wanted.sort, descending=down)

    def _toggle(self, key: str) -> None:
        keys = [column.key for column in self._rows.shown_columns]
        if key in keys:
            self._set_columns([own for own in self._rows.wanted.columns or USUAL if own != key])
        else:
            self._set_columns([*(self._rows.wanted.columns or USUAL), key])

    def _set_columns(self, keys: Iterable[str]) -> None:
        self._rows.set_columns(keys)

    def _forget(self, name: str) -> None:
        self._settings.views = [own for own in self._settings.views if own.name != name]
        self._rows.wanted_changed.emit()


def _range(condition: Condition) -> Range:
    low = -math.inf if condition.low is None else condition.low
    return Range(condition.column, low, math.inf if condition.high is None else condition.high)
