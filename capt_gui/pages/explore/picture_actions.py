"""All that can be done with the chosen pictures: their context menu, and the same in the menus of the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QPoint, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QImage
from PySide6.QtWidgets import QMenu, QWidget

from capt_engine.records import SignedScale
from capt_gui.images import to_image
from capt_gui.translate import counted
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.explore.gallery_columns import LABEL, TAGS
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.widgets.actions import make_action, menu_line
from capt_gui.widgets.word_dialog import ask_for_word

_LISTED = 16


class PictureActions(QObject):
    """Acts on the pictures whose paths `chosen` gives. `open_requested(path)`; `save_requested()`; `problem(message, hint)`."""

    open_requested = Signal(str)
    save_requested = Signal()
    problem = Signal(str, str)

    def __init__(self, window: QWidget, desk: Desk, chosen: Callable[[], list[str]]) -> None:
        super().__init__(window)
        self._window = window
        self._desk = desk
        self._chosen = chosen
        # a test answers in the dialog's place, or looks at what would be opened
        self.ask_word = ask_for_word
        self.open_url: Callable[[QUrl], object] = QDesktopServices.openUrl
        make = partial(make_action, window)
        self.label = make(self.tr("Set &label…"), self.on_label, "Ctrl+L")
        self.tag = make(self.tr("Add a &tag…"), self.on_tag, "Ctrl+T")
        self.copy_rows = make(self.tr("&Copy the rows"), self.on_copy_rows, "Ctrl+C")
        self.attack = make(self.tr("&Attack the chosen pictures again"), self.on_attack, "Shift+F5")

    @property
    def actions(self) -> list[QAction]:
        """The actions for the Edit menu."""
        return [self.copy_rows, self.label, self.tag]

    def set_enabled(self, enabled: bool) -> None:
        """Allow the actions, or not: there is no picture."""
        for action in (*self.actions, self.attack):
            action.setEnabled(enabled)

    def open_menu(self, place: QPoint) -> None:
        """Open the context menu of the chosen pictures at `place` on the screen; nothing happens when none is chosen."""
        if self._chosen():
            menu = self.menu()
            menu.popup(place)
            menu.aboutToHide.connect(menu.deleteLater)

    def menu(self) -> QMenu:
        """Return a new context menu of the chosen pictures."""
        paths, gallery = self._chosen(), self._desk.gallery
        items = [item for path in paths if (item := gallery.item(path)) is not None]
        menu = QMenu(self._window)
        one = items[0] if len(items) == 1 else None
        if one is not None:
            menu.addAction(self.tr("Open in full"), partial(self.open_requested.emit, one.path))
        usable = [item for item in items if item.failure is None]
        again = counted(len(usable), "Attack again", "Attack {} pictures again")
        menu.addAction(again, self.on_attack).setEnabled(bool(usable))
        menu.addSeparator()
        self._add_labels(menu.addMenu(self.tr("Label")), items)
        self._add_tags(menu.addMenu(self.tr("Tags")), items)
        menu.addSeparator()
        self._add_copies(menu.addMenu(self.tr("Copy")), items)
        save = menu.addAction(self.tr("Save pictures…"), self.save_requested.emit)
        save.setEnabled(any(item.request is not None for item in items))
        if one is not None:
            menu.addAction(self.tr("Show in folder"), partial(self.on_show_in_folder, one.path))
        menu.addSeparator()
        remove = counted(len(items), "Remove from the gallery", "Remove {} pictures from the gallery")
        menu.addAction(remove, partial(self._desk.changes.remove, paths))
        return menu

    def on_attack(self) -> None:
        """Analyse the chosen pictures again, with the present choices."""
        items = (self._desk.gallery.item(path) for path in self._chosen())
        self._desk.analysis.run([item.path for item in items if item is not None and item.failure is None])

    def on_label(self) -> None:
        """Ask for the right answer to the chosen pictures, and take it; nothing typed takes a label back."""
        paths = self._chosen()
        if not paths:
            return
        labels = {item.label for path in paths if (item := self._desk.gallery.item(path)) is not None}
        start = labels.pop() if len(labels) == 1 else ""
        name = counted(len(paths), "Right answer", "Right answer to {} pictures")
        hint = self.tr("Empty: nobody knows.")
        typed = self.ask_word(
            self._window, self.tr("Set label"), name, self._names(), start=start, hint=hint, may_be_empty=True
        )
        if typed is not None:
            self._desk.changes.set_label(paths, typed)

    def on_tag(self) -> None:
        """Ask for a tag, a word of the user's own, and give it to the chosen pictures."""
        paths = self._chosen()
        if not paths:
            return
        known = [tag for tag, _ in self._desk.rows.texts_of(TAGS) if tag]
        name = counted(len(paths), "Tag", "Tag for {} pictures")
        typed = self.ask_word(self._window, self.tr("Add a tag"), name, known)
        if typed:
            self._desk.changes.add_tag(paths, typed)

    def on_copy_rows(self) -> None:
        """Copy the chosen pictures: their rows as text for a spreadsheet, and their files for a file manager."""
        if paths := self._chosen():
            data = QMimeData()
            data.setText(self._desk.rows.tsv(paths))
            data.setUrls([QUrl.fromLocalFile(path) for path in paths])
            QGuiApplication.clipboard().setMimeData(data)

    def on_copy_paths(self) -> None:
        """Copy the paths of the chosen pictures, one a line."""
        QGuiApplication.clipboard().setText("\n".join(self._chosen()))

    def on_copy_image(self, path: str, which: str) -> None:
        """Copy a large picture of the result for the picture at `path`: "seen", "perturbation" or "adversarial"."""
        image = self._image(path, which)
        if image is None:
            self.problem.emit(self.tr("The picture is not drawn yet."), self.tr("Choose it, and wait a moment."))
            return
        QGuiApplication.clipboard().setImage(image)

    def on_show_in_folder(self, path: str) -> None:
        """Open the folder of the picture at `path` in the system's file manager."""
        self.open_url(QUrl.fromLocalFile(str(Path(path).parent)))

    def _image(self, path: str, which: str) -> QImage | None:
        pictures = self._desk.gallery.pictures(path)
        if pictures is None:
            return None
        if which == "perturbation":
            return to_image(SignedScale(pictures.perturbation.scale).draw(pictures.perturbation))
        return to_image(pictures.seen if which == "seen" else pictures.adversarial)

    def _names(self) -> list[str]:
        """The names that can be a label: those that were asked about, and labels that are there."""
        given = [label for label, _ in self._desk.rows.texts_of(LABEL) if label]
        return list(dict.fromkeys((*given, *self._desk.choices.classes)))

    def _add_labels(self, menu: QMenu, items: Sequence[Item]) -> None:
        paths, own = [item.path for item in items], {item.label for item in items}
        names = self._names()
        for name in names[:_LISTED]:
            action = menu.addAction(menu_line(name), partial(self._desk.changes.set_label, paths, name))
            action.setCheckable(True)
            action.setChecked(own == {name})
        if names:
            menu.addSeparator()
        menu.addAction(self.tr("Another…"), self.on_label)
        nobody = menu.addAction(self.tr("Nobody knows"), partial(self._desk.changes.set_label, paths, ""))
        nobody.setEnabled(own != {""})

    def _add_tags(self, menu: QMenu, items: Sequence[Item]) -> None:
        paths, changes = [item.path for item in items], self._desk.changes
        for tag, _ in [pair for pair in self._desk.rows.texts_of(TAGS) if pair[0]][:_LISTED]:
            has = all(tag in item.tags for item in items)
            slot = partial(changes.remove_tag if has else changes.add_tag, paths, tag)
            action = menu.addAction(menu_line(tag), slot)
            action.setCheckable(True)
            action.setChecked(has)
        if not menu.isEmpty():
            menu.addSeparator()
        menu.addAction(self.tr("New tag…"), self.on_tag)

    def _add_copies(self, menu: QMenu, items: Sequence[Item]) -> None:
        if len(items) == 1:
            there = self._desk.gallery.is_drawn(items[0].path)
            attacked = items[0].row is not None and items[0].row.attacked is not None
            for which, words in (
                ("seen", self.tr("Picture, as the model sees it")),
                ("perturbation", self.tr("Perturbation")),
                ("adversarial", self.tr("Attacked picture")),
            ):
                action = menu.addAction(words, partial(self.on_copy_image, items[0].path, which))
                action.setEnabled(there and (attacked or which == "seen"))
            menu.addSeparator()
        menu.addAction(counted(len(items), "Row", "{} rows"), self.on_copy_rows)
        menu.addAction(counted(len(items), "Path", "{} paths"), self.on_copy_paths)
