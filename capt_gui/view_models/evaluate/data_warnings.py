"""Warnings about pictures that are to be evaluated, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from capt_engine.records import ClassCount, Duplicates, ScanResult
from capt_gui.view_models.data_warnings import Notice, listed

_FEW = 30


def notices(result: ScanResult, classes: Sequence[ClassCount], split: str) -> tuple[Notice, ...]:
    """All there is to say, blocks first. classes: as the chosen part has them; split: that part, "" where there is only one."""
    said = [
        _nothing(result, classes),
        _one_class(result),
        _two_labels(result),
        _two_parts(result, split),
        _long_names(result),
        _few(result, classes),
        _unreadable(result),
    ]
    found = [notice for notice in said if notice is not None]
    if not any(notice.kind == "block" for notice in found):
        found += [Notice("info", note, "") for note in result.notes]
    order = ("block", "warning", "info")
    return tuple(sorted(found, key=lambda notice: order.index(notice.kind)))


def _nothing(result: ScanResult, classes: Sequence[ClassCount]) -> Notice | None:
    if any(own.usable for own in classes):
        return None
    hint = _tr("Choose a folder that holds a folder of pictures for each class, or a table that names them.")
    if result.unreadable:
        hint = _tr("What was found cannot be read as pictures; the list says why.")
    return Notice("block", _tr("There is no usable picture."), hint)


def _one_class(result: ScanResult) -> Notice | None:
    if len(result.classes) >= 2 or not result.usable:
        return None
    hint = _tr("Every answer would be right. Choose the folder above it: one that holds a folder for each class.")
    return Notice("block", _tr("There is only one class."), hint)


def _two_labels(result: ScanResult) -> Notice | None:
    groups = [own for own in _all(result) if own.across_classes]
    if not groups:
        return None
    hint = _tr("One of the labels must be wrong, or the classes overlap; either way an answer is counted as wrong.")
    if len(groups) == 1:
        names = listed(sorted({member.class_name for member in groups[0].members}))
        return Notice("warning", _tr("One picture is in several classes: {}.").format(names), hint)
    return Notice("warning", _tr("{} pictures are in several classes.").format(len(groups)), hint)


def _two_parts(result: ScanResult, split: str) -> Notice | None:
    if not split:
        return None
    groups = [own for own in _all(result) if own.across_splits and any(one.split == split for one in own.members)]
    if not groups:
        return None
    message = (
        _tr("One picture is in another part too.")
        if len(groups) == 1
        else _tr("{} pictures are in another part too.").format(len(groups))
    )
    hint = _tr("Prompts that were tuned on that part have seen them, and look better here than they are.")
    return Notice("warning", message, hint)


def _long_names(result: ScanResult) -> Notice | None:
    if not result.long_names:
        return None
    names = listed([own.name for own in result.long_names])
    hint = _tr("The model reads {} tokens, and the end is cut off.").format(result.token_limit)
    return Notice("warning", _tr("Names that are too long for the model: {}.").format(names), hint)


def _few(result: ScanResult, classes: Sequence[ClassCount]) -> Notice | None:
    n = sum(own.usable for own in classes)
    if not 0 < n < _FEW or len(result.classes) < 2:
        return None
    text = _tr("1 picture tells little.") if n == 1 else _tr("{} pictures tell little.").format(n)
    return Notice("info", text, _tr("The intervals will be wide; a hundred or more are worth a figure."))


def _unreadable(result: ScanResult) -> Notice | None:
    n = len(result.unreadable)
    if not n or not result.usable:
        return None
    text = _tr("1 picture cannot be used.") if n == 1 else _tr("{} pictures cannot be used.").format(n)
    return Notice("info", text, _tr("What cannot be read is left out of every figure; the list below says why."))


def _all(result: ScanResult) -> tuple[Duplicates, ...]:
    return result.same + result.alike


def _tr(text: str) -> str:
    return QCoreApplication.translate("EvaluateNotices", text)
