"""Warnings about pictures that are to be evaluated, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from capt_engine.records import ClassCount, Duplicates, ScanResult
from capt_gui.translate import counted, spoken, tr
from capt_gui.view_models.data_warnings import Notice, in_order, labels_message, listed

_FEW = 30


def notices(result: ScanResult, classes: Sequence[ClassCount], split: str) -> tuple[Notice, ...]:
    """Return all warnings about pictures that are to be evaluated, those that forbid going on first.

    result: the scan. classes: the counts of the chosen part (train, val or test). split: the name of that part, ""
    where there is only one.
    """
    found = [
        _nothing(result, classes),
        _one_class(result),
        _two_labels(result),
        _two_parts(result, split),
        _long_names(result),
        _few(result, classes),
        _unreadable(result),
    ]
    is_blocked = any(notice.kind == "block" for notice in found if notice)
    return in_order(found if is_blocked else (*found, *(Notice("info", spoken(note)) for note in result.notes)))


def _nothing(result: ScanResult, classes: Sequence[ClassCount]) -> Notice | None:
    if any(own.usable for own in classes):
        return None
    hint = tr("Choose a folder that holds a folder of pictures for each class, or a table that names them.")
    if result.unreadable:
        hint = tr("What was found cannot be read as pictures; the list says why.")
    return Notice("block", tr("There is no usable picture."), hint)


def _one_class(result: ScanResult) -> Notice | None:
    if len(result.classes) >= 2 or not result.usable:
        return None
    hint = tr("Every answer would be right. Choose the folder above it: one that holds a folder for each class.")
    return Notice("block", tr("There is only one class."), hint)


def _two_labels(result: ScanResult) -> Notice | None:
    groups = [own for own in _all(result) if own.across_classes]
    if not groups:
        return None
    hint = tr("One of the labels must be wrong, or the classes overlap; either way an answer is counted as wrong.")
    return Notice("warning", labels_message(groups), hint)


def _two_parts(result: ScanResult, split: str) -> Notice | None:
    if not split:
        return None
    groups = [own for own in _all(result) if own.across_splits and any(one.split == split for one in own.members)]
    if not groups:
        return None
    message = counted(len(groups), "One picture is in another part too.", "{} pictures are in another part too.")
    hint = tr("Prompts that were tuned on that part have seen them, and look better here than they are.")
    return Notice("warning", message, hint)


def _long_names(result: ScanResult) -> Notice | None:
    if not result.long_names:
        return None
    names = listed([own.name for own in result.long_names])
    hint = tr("The model reads {} tokens, and the end is cut off.").format(result.token_limit)
    return Notice("warning", tr("Names that are too long for the model: {}.").format(names), hint)


def _few(result: ScanResult, classes: Sequence[ClassCount]) -> Notice | None:
    n = sum(own.usable for own in classes)
    if not 0 < n < _FEW or len(result.classes) < 2:
        return None
    text = counted(n, "1 picture tells little.", "{} pictures tell little.")
    return Notice("info", text, tr("The intervals will be wide; a hundred or more are worth a figure."))


def _unreadable(result: ScanResult) -> Notice | None:
    n = len(result.unreadable)
    if not n or not result.usable:
        return None
    text = counted(n, "1 picture cannot be used.", "{} pictures cannot be used.")
    return Notice("info", text, tr("What cannot be read is left out of every figure; the list below says why."))


def _all(result: ScanResult) -> tuple[Duplicates, ...]:
    return result.same + result.alike
