"""Warnings of a scan in plain words, each with what can be done about it in the wizard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from capt_engine.records import Duplicates, ScanResult
from capt_gui.translate import counted, spoken, tr
from capt_gui.view_models.tune.state import TuneState

IMBALANCE = 5.0
"""The largest class over the smallest, above which one is told of it."""

_NAMES = 3
_NAME_LENGTH = 40


@dataclass(frozen=True)
class Picked:
    """Pictures by path and classes by name."""

    pictures: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """True if there is anything."""
        return bool(self.pictures or self.classes)


@dataclass(frozen=True)
class Notice:
    """One warning about the data, and the action that it offers.

    kind: "block" forbids going on, "warning" does not, "info" is good to know. action: words of a button; `exclude` or `include` is
    what it does, `show` the class whose details it opens.
    """

    kind: str
    message: str
    hint: str = ""
    action: str = ""
    exclude: Picked = Picked()
    include: Picked = Picked()
    show: str = ""


def notices(result: ScanResult, state: TuneState, usable: Callable[[str], int]) -> tuple[Notice, ...]:
    """Return all warnings about scanned training pictures, those that forbid going on first.

    result: the scan. state: the wizard's choices, with the pictures and classes left out. usable: a function from a
    class name to the number of its pictures that remain.
    """
    gone = set(state.excluded_classes)
    names = [own.name for own in result.classes if own.name not in gone]
    counts = {name: usable(name) for name in names}
    groups = _open_groups(result.same + result.alike, state)
    return in_order(
        (
            _too_few_classes(names, state),
            _too_few_pictures(counts),
            _two_labels(groups),
            _two_parts(groups),
            _imbalance(counts),
            _long_names(result, gone),
            _tiny(result, state),
            _copies(groups),
            _unreadable(result, gone),
            *(Notice("info", spoken(note)) for note in result.notes),
        )
    )


def in_order(found: Iterable[Notice | None]) -> tuple[Notice, ...]:
    """Return the given notices without the Nones, sorted by kind: "block" (forbids going on), "warning", "info"."""
    order = ("block", "warning", "info")
    return tuple(sorted((notice for notice in found if notice), key=lambda notice: order.index(notice.kind)))


def _too_few_classes(names: list[str], state: TuneState) -> Notice | None:
    if len(names) >= 2:
        return None
    message = tr("There is only one class.") if names else tr("There is no class left.")
    if not state.excluded_classes:
        hint = tr("Tuning tells classes apart: choose a folder that holds at least two folders of pictures.")
        return Notice("block", message, hint)
    hint = tr("Tuning tells classes apart, so it needs two.")
    return Notice("block", message, hint, tr("Take all back"), include=Picked(classes=state.excluded_classes))


def _too_few_pictures(counts: dict[str, int]) -> Notice | None:
    poor = [name for name, count in counts.items() if count < 2]
    if not poor or len(counts) < 2:
        return None
    if len(poor) == 1:
        had = tr("1 usable picture") if counts[poor[0]] else tr("no usable picture")
        message, action = tr("“{}” has {}.").format(short(poor[0]), had), tr("Leave out this class")
    else:
        message = tr("{} classes have fewer than two usable pictures: {}.").format(len(poor), listed(poor))
        action = tr("Leave out these classes")
    hint = tr(
        "A class needs at least one training and one test picture. Add pictures and scan again, or leave the class out."
    )
    return Notice("block", message, hint, action, exclude=Picked(classes=tuple(poor)))


def labels_message(groups: Sequence[Duplicates]) -> str:
    """Return a sentence saying that one or more pictures stand in several classes.

    groups: at least one group of equal pictures; the classes are named when there is just one group.
    """
    if len(groups) > 1:
        return tr("{} pictures are in several classes.").format(len(groups))
    names = sorted({member.class_name for member in groups[0].members})
    return tr("One picture is in several classes: {}.").format(listed(names))


def _two_labels(groups: Sequence[Duplicates]) -> Notice | None:
    groups = [own for own in groups if own.across_classes]
    if not groups:
        return None
    paths = Picked(pictures=tuple(member.path for own in groups for member in own.members))
    hint = tr("One of the labels must be wrong, or the classes overlap; they are no use for training.")
    show = groups[0].members[0].class_name
    return Notice("warning", labels_message(groups), hint, tr("Leave them out"), exclude=paths, show=show)


def _two_parts(groups: Sequence[Duplicates]) -> Notice | None:
    groups = [own for own in groups if own.across_splits]
    if not groups:
        return None
    # what is kept for the test stays there: the copies among the training pictures go
    last = ("test", "val")
    paths: list[str] = []
    for own in groups:
        kept = next((part for part in last if any(member.split == part for member in own.members)), "")
        paths += [member.path for member in own.members if member.split != kept]
    message = counted(len(groups), "One picture is in two parts.", "{} pictures are in two parts.")
    hint = tr("Training pictures would be tested on, and the result would look better than it is.")
    return Notice("warning", message, hint, tr("Leave out the copies"), exclude=Picked(pictures=tuple(paths)))


def _copies(groups: Sequence[Duplicates]) -> Notice | None:
    groups = [own for own in groups if not own.across_classes and not own.across_splits]
    if not groups:
        return None
    paths = tuple(member.path for own in groups for member in own.members[1:])
    message = counted(len(paths), "One picture is a copy of another.", "{} pictures are copies of others.")
    action = counted(len(paths), "Leave out the copy", "Leave out the copies")
    hint = tr("Copies always go to the same part, so nothing that was learned is tested on.")
    show = groups[0].members[0].class_name
    return Notice("info", message, hint, action, exclude=Picked(pictures=paths), show=show)


def _imbalance(counts: dict[str, int]) -> Notice | None:
    some = {name: count for name, count in counts.items() if count}
    if len(some) < 2:
        return None
    most, least = max(some, key=some.__getitem__), min(some, key=some.__getitem__)
    if some[most] <= IMBALANCE * some[least]:
        return None
    text = tr("“{}” has {} pictures, “{}” only {}.")
    message = text.format(short(most), some[most], short(least), some[least])
    hint = tr(
        "So many per class are drawn for tuning that it hardly matters there; the test counts the large classes more."
    )
    return Notice("warning", message, hint, show=least)


def _long_names(result: ScanResult, gone: set[str]) -> Notice | None:
    names = [own for own in result.long_names if own.name not in gone]
    if not names:
        return None
    if len(names) == 1:
        message = tr("The name “{}” takes {} tokens.").format(short(names[0].name), names[0].tokens)
    else:
        text = tr("{} names are longer than the model reads: {}.")
        message = text.format(len(names), listed([own.name for own in names]))
    text = tr("The model reads {}, and the end is cut off. A shorter name of the folder helps.")
    return Notice("warning", message, text.format(result.token_limit), show=names[0].name)


def _tiny(result: ScanResult, state: TuneState) -> Notice | None:
    away = set(state.excluded)
    tiny = [own for own in result.tiny if own.path not in away]
    if not tiny:
        return None
    n = len(tiny)
    message = counted(n, "One picture is tiny.", "{} pictures are tiny.")
    sides = sorted({f"{own.width} × {own.height}" for own in tiny})
    them = tr("The model enlarges it many times ({}).") if n == 1 else tr("The model enlarges them many times ({}).")
    hint = them.format(", ".join(sides[:2]) + (" …" if len(sides) > 2 else ""))
    # where all are small it is what the pictures are like, and leaving all of them out would leave nothing
    if 2 * n > result.usable:
        return Notice("info", message, hint)
    action = counted(n, "Leave it out", "Leave them out")
    return Notice("warning", message, hint, action, exclude=Picked(pictures=tuple(own.path for own in tiny)))


def _unreadable(result: ScanResult, gone: set[str]) -> Notice | None:
    broken = [(name, failure) for name, failure in result.unreadable if name not in gone]
    if not broken:
        return None
    message = counted(len(broken), "One picture cannot be read.", "{} pictures cannot be read.")
    hint = tr("What cannot be read is passed over; the list says why.")
    return Notice("info", message, hint, tr("Show"), show=broken[0][0])


def _open_groups(groups: Sequence[Duplicates], state: TuneState) -> list[Duplicates]:
    """The groups of which two or more are still in."""
    away, gone = set(state.excluded), set(state.excluded_classes)
    left = (
        Duplicates(tuple(own for own in group.members if own.path not in away and own.class_name not in gone))
        for group in groups
    )
    return [group for group in left if len(group.members) > 1]


def listed(names: Sequence[str]) -> str:
    """Return the first three names in quotes, shortened where they are long, and how many more there are."""
    shown = ", ".join(f"“{short(name)}”" for name in names[:_NAMES])
    return shown if len(names) <= _NAMES else tr("{} and {} more").format(shown, len(names) - _NAMES)


def short(name: str) -> str:
    """Return a name (of a class, for example) cut to 40 characters, the last an ellipsis where it was longer."""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
