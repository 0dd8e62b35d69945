"""The keys of every menu action, as a list that can be searched and changed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from capt_gui.view_models.preferences.shortcuts import Command, Shortcuts
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_ROLE = Qt.ItemDataRole.UserRole


class ShortcutList(QWidget):
    """A tree of pages and their actions with the keys of each; below it the keys of the chosen one can be pressed anew."""

    def __init__(self, shortcuts: Shortcuts, page_titles: dict[str, str], parent: QWidget | None = None) -> None:
        """page_titles: by the key of a page its name, for the order and the headings."""
        super().__init__(parent)
        self._shortcuts = shortcuts
        self._titles = page_titles
        self._headings: dict[str, QTreeWidgetItem] = {}
        self.tree = QTreeWidget()
        self.tree.setAccessibleName(self.tr("Actions and their keys"))
        self.tree.setHeaderLabels([self.tr("Action"), self.tr("Keys")])
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setTabKeyNavigation(False)
        # names are read whole; of an action with many keys the last may be cut
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.keys = QKeySequenceEdit()
        self.keys.setMaximumSequenceLength(1)
        self.keys.setAccessibleName(self.tr("Press the new keys"))
        self.keys.setClearButtonEnabled(True)
        self.use = QPushButton(self.tr("Use these keys"))
        self.usual = QPushButton(self.tr("Usual keys"))
        self.all_usual = QPushButton(self.tr("Usual keys for all"))
        self.note = text(role="problem")
        row = fill(QHBoxLayout(), (self.keys, 1), self.use, self.usual, self.all_usual)
        fill(QVBoxLayout(self), (self.tree, 1), self.note, row)
        self.tree.currentItemChanged.connect(self.on_chosen)
        self.keys.keySequenceChanged.connect(self.on_keys_pressed)
        self.use.clicked.connect(self.on_use)
        self.usual.clicked.connect(self.on_usual)
        self.all_usual.clicked.connect(shortcuts.restore_all)
        shortcuts.changed.connect(self.refresh)
        self._fill()
        self.refresh()

    def chosen(self) -> Command | None:
        """Return the action that is chosen in the tree, None where it is a heading or nothing."""
        item = self.tree.currentItem()
        command = item.data(0, _ROLE) if item is not None else None
        return command if isinstance(command, Command) else None

    def choose(self, command: Command) -> None:
        """Choose an action in the tree."""
        for item in self._items():
            if item.data(0, _ROLE) is command:
                self.tree.setCurrentItem(item)

    def refresh(self) -> None:
        """Show the keys of every action; those that are not the usual ones stand in bold."""
        for item in self._items():
            command = item.data(0, _ROLE)
            item.setText(0, command.title)
            item.setText(1, ", ".join(command.keys))
            font = item.font(1)
            font.setBold(not self._shortcuts.is_usual(command))
            item.setFont(1, font)
        self.on_chosen()

    def filter(self, words: str) -> int:
        """Show only actions whose name, page or keys hold every word of `words`, and return how many there are."""
        wanted, shown = words.casefold().split(), 0
        for page, heading in self._headings.items():
            left = 0
            for item in self._items_of(page):
                written = f"{heading.text(0)} {item.text(0)} {item.text(1)}".casefold()
                fits = all(word in written for word in wanted)
                item.setHidden(not fits)
                left += fits
            heading.setHidden(not left)
            shown += left
        return shown

    def on_chosen(self) -> None:
        """Show the first keys of the chosen action in the field below."""
        command = self.chosen()
        first = command.action.shortcuts()[:1] if command is not None else []
        self.keys.setKeySequence(first[0] if first else QKeySequence())
        self.keys.setEnabled(command is not None)
        self.usual.setEnabled(command is not None and not self._shortcuts.is_usual(command))
        self.on_keys_pressed()

    def on_keys_pressed(self) -> None:
        """Say who has the keys in the field already, and allow to use them if they are new."""
        command, pressed = self.chosen(), self.keys.keySequence()
        other = self._shortcuts.conflict(command, pressed.toString()) if command is not None else None
        native = pressed.toString(QKeySequence.SequenceFormat.NativeText)
        taken = self.tr("{} is “{}” already. Used here, it is taken away from there.")
        self.note.setText(taken.format(native, other.title) if other is not None else "")
        known = command.action.shortcuts() if command is not None else []
        self.use.setEnabled(command is not None and (pressed not in known if not pressed.isEmpty() else bool(known)))

    def on_use(self) -> None:
        """Give the chosen action the keys in the field, none where it is empty."""
        if (command := self.chosen()) is not None:
            self._shortcuts.set_keys(command, self.keys.keySequence().toString())

    def on_usual(self) -> None:
        """Give the chosen action its usual keys again."""
        if (command := self.chosen()) is not None:
            self._shortcuts.restore(command)

    def _fill(self) -> None:
        for page, title in self._titles.items():
            heading = QTreeWidgetItem(self.tree, [title])
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            heading.setFirstColumnSpanned(True)
            self._headings[page] = heading
        for command in self._shortcuts.commands:
            item = QTreeWidgetItem(self._headings[command.page], [command.title, ""])
            item.setData(0, _ROLE, command)
        self.tree.expandAll()

    def _items(self) -> list[QTreeWidgetItem]:
        return [item for page in self._headings for item in self._items_of(page)]

    def _items_of(self, page: str) -> list[QTreeWidgetItem]:
        heading = self._headings[page]
        return [item for row in range(heading.childCount()) if (item := heading.child(row)) is not None]
