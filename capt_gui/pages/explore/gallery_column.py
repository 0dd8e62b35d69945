"""The pictures beside their results: cards or a table of the same rows, what is shown of them, and more ways in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from capt_gui.pages.explore.gallery_menus import GalleryMenus
from capt_gui.settings import CARDS, TABLE
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.buttons import IconButton, TextButton
from capt_gui.widgets.chip_bar import ChipBar
from capt_gui.widgets.gallery_table import GalleryTable
from capt_gui.widgets.gallery_view import GalleryView
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import fill

_SEARCH_WIDTH = 320
# the margins left and right
_SIDES = 16
# of the buttons above the pictures, from the widest
_STYLES = (
    Qt.ToolButtonStyle.ToolButtonTextBesideIcon,
    Qt.ToolButtonStyle.ToolButtonTextOnly,
    Qt.ToolButtonStyle.ToolButtonIconOnly,
)
_SELECT = QItemSelectionModel.SelectionFlag


class GalleryColumn(QWidget):
    """Search field, filters as chips, the pictures as cards or as a table, and their count.

    current_changed(path); open_requested(path): a picture is to be seen in full; menu_requested(place): the context menu
    of the chosen ones; look_changed(CARDS or TABLE).
    """

    current_changed = Signal(str)
    open_requested = Signal(str)
    menu_requested = Signal(QPoint)
    look_changed = Signal(str)
    open_files_clicked = Signal()
    open_folder_clicked = Signal()
    clear_clicked = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._gallery, self._changes = desk.theme, desk.gallery, desk.changes
        self._settings = desk.settings.gallery
        self.rows = desk.rows
        self._path, self._row = "", 0
        self.menus = GalleryMenus(desk.rows, self._settings, self)
        self.search = QLineEdit(placeholderText=self.tr("Search: name, label, fooled…"), clearButtonEnabled=True)
        self.search.setAccessibleName(self.tr("Search the pictures"))
        self.search.setMinimumWidth(90)
        self.look_button = IconButton(desk.theme, "table", "", "text_muted")
        self.chips = ChipBar(desk.theme)
        self.view = GalleryView(desk.theme)
        self.view.setModel(desk.rows)
        self.table = GalleryTable(desk.theme)
        self.table.setModel(desk.rows)
        self.table.setSelectionModel(self.view.selectionModel())
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.table)
        self._show_all = TextButton(desk.theme, self.tr("Show all"), "", look="link")
        words = text(self.tr("No picture passes the filter."), "muted")
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._nothing = column((None, 1), words, (self._show_all, 0, Qt.AlignmentFlag.AlignHCenter), (None, 2))
        self.count_label = text(role="caption")
        self._menu_buttons = (
            self._menu_button("filter", self.tr("Filter"), self.tr("Filter"), self.menus.filter),
            self._menu_button("order", self.tr("Order"), self.tr("Order"), self.menus.order),
            self._menu_button("bookmark", self.tr("Views"), self.tr("Saved views"), self.menus.views),
            self._menu_button("columns", self.tr("Columns"), self.tr("Columns of the table"), self.menus.columns),
        )
        self.columns_button = self._menu_buttons[-1]
        self._lay_out()
        self._connect()
        self.set_look(self._settings.shown_as)
        self.on_wanted_changed()

    @property
    def look(self) -> str:
        """CARDS or TABLE: how the pictures are shown now."""
        return TABLE if self._stack.currentWidget() is self.table else CARDS

    def set_look(self, look: str) -> None:
        """Show the pictures as CARDS or as a TABLE; what is chosen stays chosen and in sight."""
        is_table = look == TABLE
        had_focus = self._stack.isAncestorOf(self.window().focusWidget() or self.window())
        self._stack.setCurrentWidget(self.table if is_table else self.view)
        words = self.tr("Show cards (Ctrl+G)") if is_table else self.tr("Show a table (Ctrl+G)")
        self.look_button.set_icon("pictures" if is_table else "table", words)
        for box in (self._top, self._bottom):
            box.setDirection(QBoxLayout.Direction.LeftToRight if is_table else QBoxLayout.Direction.TopToBottom)
        self.search.setMaximumWidth(_SEARCH_WIDTH if is_table else 16777215)
        self.columns_button.setVisible(is_table)
        self._settings.shown_as = TABLE if is_table else CARDS
        self._name_buttons()
        if had_focus:
            self._shown().setFocus()
        if self.view.currentIndex().isValid():
            self._shown().scrollTo(self.view.currentIndex())

    def select(self, paths: Iterable[str]) -> None:
        """Choose the pictures at `paths` that are shown, scroll to the first of them and make it the current one."""
        found = self._rows_of(paths)
        if not found:
            return
        selection = self.view.selectionModel()
        selection.setCurrentIndex(self.rows.index(found[0], 0), _SELECT.NoUpdate)
        selection.select(self._selection(found), _SELECT.ClearAndSelect)
        self._shown().scrollTo(self.rows.index(found[0], 0))

    def select_too(self, paths: Iterable[str]) -> None:
        """Choose the pictures at `paths` beside those that are chosen; nothing is scrolled, and the current one stays."""
        self.view.selectionModel().select(self._selection(self._rows_of(paths)), _SELECT.Select)

    def selected(self) -> list[str]:
        """Return the paths of the chosen pictures, from the top; of the current one where no other is chosen."""
        rows: set[int] = set()
        chosen = self.view.selectionModel().selection()
        for number in range(chosen.count()):
            part = chosen.at(number)
            rows.update(range(part.top(), part.bottom() + 1))
        items = [self.rows.item_at(row) for row in sorted(rows)]
        return [item.path for item in items if item is not None]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Name the buttons above the pictures where the new width has room for words."""
        super().resizeEvent(event)
        self._name_buttons()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the chosen pictures off the gallery on Delete or Backspace, as the list and the table leave these keys to it."""
        removes = event.matches(QKeySequence.StandardKey.Delete) or event.key() == Qt.Key.Key_Backspace
        if removes and (paths := self.selected()):
            self._changes.remove(paths)
            event.accept()
        else:
            super().keyPressEvent(event)

    def on_counts_changed(self) -> None:
        """Show how many pictures the gallery holds, how many of them are shown, and how many are in each state."""
        total, shown = self._gallery.rowCount(), self.rows.rowCount()
        counts = self._gallery.count_text()
        if self.rows.is_filtered:
            counts = " · ".join((self.tr("{:,} shown").format(shown), counts))
        self.count_label.setText(counts)
        self._nothing.setVisible(total > 0 and shown == 0)
        self._stack.setVisible(total == 0 or shown > 0)

    def on_wanted_changed(self) -> None:
        """Show the filter as chips, and the order in the header of the table."""
        wanted = self.rows.wanted
        if self.search.text().split() != wanted.text.split():
            self.search.setText(wanted.text)
        self.chips.set_chips([self.rows.describe(condition) for condition in wanted.conditions])
        keys = [column.key for column in self.rows.shown_columns]
        self.table.show_order(keys.index(wanted.sort) if wanted.sort in keys else -1, descending=wanted.descending)
        self.on_counts_changed()

    def on_chip_removed(self, number: int) -> None:
        """Take the condition of the chip with this number out of the filter."""
        self.rows.remove_condition(self.rows.wanted.conditions[number])

    def on_arranged(self) -> None:
        """Keep a picture current: the one that was, as soon as it is shown again, or after its removal the one in its place."""
        self.on_counts_changed()
        if self.view.currentIndex().isValid():
            self._row = self.view.currentIndex().row()
            return
        row = self.rows.row_of(self._path)
        if row < 0 and self._path and self._gallery.item(self._path) is None:
            row = min(self._row, self.rows.rowCount() - 1)
            if row < 0:
                self._path = ""
                self.current_changed.emit("")
        if row >= 0:
            self.view.selectionModel().setCurrentIndex(self.rows.index(row, 0), _SELECT.ClearAndSelect | _SELECT.Rows)

    def on_current_changed(self, path: str) -> None:
        """Remember the current picture, and emit `current_changed` with its `path`."""
        if path:
            self._path, self._row = path, self.view.currentIndex().row()
            self.current_changed.emit(path)

    def toggle_look(self) -> None:
        """Show the table in place of the cards, or the cards in place of the table, and emit `look_changed`."""
        self.set_look(CARDS if self.look == TABLE else TABLE)
        self.look_changed.emit(self.look)

    def on_menu_requested(self, place: QPoint) -> None:
        """Emit `menu_requested` with `place`, from pixels of the list or table to those of the screen."""
        view = self._shown()
        if not view.viewport().rect().contains(place) or not view.indexAt(place).isValid():
            # asked for by a key: beside the current picture
            place = view.visualRect(view.currentIndex()).center()
        self.menu_requested.emit(view.viewport().mapToGlobal(place))

    def _rows_of(self, paths: Iterable[str]) -> list[int]:
        """The rows of the pictures at `paths` that are shown, from the top."""
        return sorted(row for path in paths if (row := self.rows.row_of(path)) >= 0)

    def _selection(self, ascending: Sequence[int]) -> QItemSelection:
        """These rows as ranges, so that thousands that stand together are few."""
        chosen = QItemSelection()
        last_column = self.rows.columnCount() - 1
        for _, run in groupby(enumerate(ascending), lambda pair: pair[1] - pair[0]):
            rows = [row for _, row in run]
            chosen.select(self.rows.index(rows[0], 0), self.rows.index(rows[-1], last_column))
        return chosen

    def _name_buttons(self) -> None:
        """Show the words of the buttons beside their icons, or in their place, where all of them have room."""
        is_table = self.look == TABLE
        shown = self._menu_buttons if is_table else self._menu_buttons[:-1]
        room = self.width() - _SIDES - (self.search.minimumWidth() + _SIDES if is_table else 0)
        for style in _STYLES:
            for button in shown:
                button.setToolButtonStyle(style)
            if sum(button.sizeHint().width() + 2 for button in (*shown, self.look_button)) <= room:
                return

    def _shown(self) -> GalleryView | GalleryTable:
        return self.table if self.look == TABLE else self.view

    def _lay_out(self) -> None:
        buttons = fill(
            QHBoxLayout(),
            *self._menu_buttons,
            (None, 1),
            self.look_button,
            spacing=2,
        )
        self._top = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        fill(self._top, (self.search, 2), (buttons, 3), spacing=6)
        line = fill(
            QHBoxLayout(),
            self._button("picture", self.tr("Open pictures (Ctrl+I)"), self.open_files_clicked),
            self._button("folder", self.tr("Open a folder (Ctrl+Shift+I)"), self.open_folder_clicked),
            (None, 1),
            self._button("trash", self.tr("Clear the gallery"), self.clear_clicked),
            spacing=2,
        )
        self._bottom = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        fill(self._bottom, (self.count_label, 1), line, spacing=6)
        fill(
            QVBoxLayout(self), self._top, self.chips, (self._stack, 1), (self._nothing, 1), self._bottom,
            spacing=6, margins=(12, 12, 4, 8),
        )  # fmt: skip

    def _connect(self) -> None:
        self.search.textChanged.connect(self.rows.set_text)
        self.look_button.clicked.connect(self.toggle_look)
        self._show_all.clicked.connect(self.rows.clear_filter)
        self.chips.removed.connect(self.on_chip_removed)
        self.chips.cleared.connect(self.rows.clear_filter)
        self.view.current_changed.connect(self.on_current_changed)
        self.view.remove_requested.connect(self._changes.remove)
        for view in (self.view, self.table):
            view.opened.connect(self.open_requested)
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.customContextMenuRequested.connect(self.on_menu_requested)
        self.table.header_menu_requested.connect(self.menus.open_header)
        self.rows.arranged.connect(self.on_arranged)
        self.rows.wanted_changed.connect(self.on_wanted_changed)
        self._gallery.counts_changed.connect(self.on_counts_changed)

    def _menu_button(self, icon: str, words: str, tip: str, menu: QMenu) -> IconButton:
        button = IconButton(self._theme, icon, tip, "text_muted")
        # shown beside the icon where there is room
        button.setText(words)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _button(self, icon: str, words: str, clicked: SignalInstance) -> IconButton:
        button = IconButton(self._theme, icon, words, "text_muted")
        button.setAutoRaise(True)
        button.setAccessibleName(words.split(" (")[0])
        button.clicked.connect(clicked)
        return button
