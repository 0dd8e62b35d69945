"""Removals from the gallery, labels, tags and edits of class names, one upon the other, so that each can be undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from capt_gui.translate import counted, tr
from capt_gui.view_models.explore.choices import Choices, OwnClasses
from capt_gui.view_models.explore.gallery_model import GalleryModel, Removed

_MOST = 100
# typing that goes on within this time is one change
_PAUSE_S = 3.0
_TYPING = 1
_Value = TypeVar("_Value")


class ExploreChanges(QObject):
    """Makes each removal, label, tag and edit of class names a command on `undo`, the latest on top.

    removed(n): so many pictures went.
    """

    removed = Signal(int)

    def __init__(self, choices: Choices, gallery: GalleryModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._gallery = gallery
        self.undo = QUndoStack(self)
        self.undo.setUndoLimit(_MOST)

    def remove(self, paths: Sequence[str]) -> None:
        """Remove the pictures at `paths` from the gallery, with their results; the files on disk stay."""
        there = [path for path in paths if self._gallery.item(path) is not None]
        if there:
            self.undo.push(_PicturesRemoved(self._gallery, there))
            self.removed.emit(len(there))

    def set_label(self, paths: Sequence[str], label: str) -> None:
        """Take `label` as the right answer to the pictures at `paths`, "" for not known."""
        before = {item.path: item.label for path in paths if (item := self._gallery.item(path)) is not None}
        after = dict.fromkeys(before, label)
        words = counted(len(before), "set 1 label", "set {} labels")
        self._set(self._gallery.set_labels, before, after, words)

    def add_tag(self, paths: Sequence[str], tag: str) -> None:
        """Give the pictures at `paths` the tag `tag`, a word of the user's own."""
        before = self._tags(paths)
        after = {path: own if tag in own else (*own, tag) for path, own in before.items()}
        self._set(self._gallery.set_tags, before, after, tr("add tag {}").format(tag))

    def remove_tag(self, paths: Sequence[str], tag: str) -> None:
        """Take the tag `tag` from the pictures at `paths`."""
        before = self._tags(paths)
        after = {path: tuple(one for one in own if one != tag) for path, own in before.items()}
        self._set(self._gallery.set_tags, before, after, tr("remove tag {}").format(tag))

    def write_classes(self, classes: tuple[str, ...], template: str) -> None:
        """Take what the user has typed as class names and template; what is typed in one go is one change."""
        self._change(lambda: self._choices.set_classes(classes, template), tr("typing"), typed=True)

    def set_class_list(self, key: str) -> None:
        """Ask about the class names of the list with this key."""
        self._change(lambda: self._choices.set_class_list(key), tr("list of classes"))

    def restore_classes(self) -> None:
        """Go back to the class names and the template that model or prompts suggest."""
        self._change(self._choices.restore_classes, tr("restore suggestion"))

    def use_model_classes(self) -> None:
        """Ask about the model's own class names, where the chosen prompts suggest others."""
        self._change(self._choices.use_model_classes, tr("the model's own classes"))

    def _tags(self, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
        return {item.path: item.tags for path in paths if (item := self._gallery.item(path)) is not None}

    def _set(
        self,
        setter: Callable[[Mapping[str, _Value]], None],
        before: dict[str, _Value],
        after: dict[str, _Value],
        words: str,
    ) -> None:
        """Give pictures, by path, other values, unless they have them already."""
        changed = [path for path, value in after.items() if value != before[path]]
        if changed:
            old, new = ({path: one[path] for path in changed} for one in (before, after))
            self.undo.push(_ValuesSet(setter, old, new, words))

    def _change(self, change: Callable[[], None], words: str, *, typed: bool = False) -> None:
        before = self._choices.own_classes()
        change()
        after = self._choices.own_classes()
        if before != after:
            self.undo.push(_ClassesChanged(self._choices, before, after, words, typed=typed))


class _PicturesRemoved(QUndoCommand):
    """Pictures that were taken off the gallery."""

    def __init__(self, gallery: GalleryModel, paths: Sequence[str]) -> None:
        super().__init__(counted(len(paths), "remove 1 picture", "remove {} pictures"))
        self._gallery, self._paths = gallery, list(paths)
        self._removed: list[Removed] = []

    def redo(self) -> None:
        self._removed = self._gallery.take(self._paths)

    def undo(self) -> None:
        self._gallery.put_back(self._removed)
        self._removed = []


class _ValuesSet(QUndoCommand, Generic[_Value]):
    """Other labels or tags of pictures, by path; those that are not in the gallery just then are passed over."""

    def __init__(
        self,
        setter: Callable[[Mapping[str, _Value]], None],
        before: dict[str, _Value],
        after: dict[str, _Value],
        words: str,
    ) -> None:
        super().__init__(words)
        self._setter, self._before, self._after = setter, before, after

    def redo(self) -> None:
        self._setter(self._after)

    def undo(self) -> None:
        self._setter(self._before)


class _ClassesChanged(QUndoCommand):
    """Other class names or another template for one model."""

    def __init__(self, choices: Choices, before: OwnClasses, after: OwnClasses, words: str, *, typed: bool) -> None:
        super().__init__(words)
        self._choices, self._before, self._after = choices, before, after
        self._typed_s = time.monotonic() if typed else None
        # it is made when it has happened already
        self._is_done = True

    def id(self) -> int:
        return -1 if self._typed_s is None else _TYPING

    def mergeWith(self, later: QUndoCommand) -> bool:
        if not isinstance(later, _ClassesChanged) or self._typed_s is None or later._typed_s is None:
            return False
        if later._before != self._after or later._typed_s - self._typed_s > _PAUSE_S:
            return False
        self._after, self._typed_s = later._after, later._typed_s
        self.setObsolete(self._before == self._after)
        return True

    def redo(self) -> None:
        if not self._is_done:
            self._choices.put_own_classes(self._after)
        self._is_done = False

    def undo(self) -> None:
        self._choices.put_own_classes(self._before)
