"""The class lists that ship: ImageNet's 1,000 classes, everyday words, and WordNet's broader concepts over ImageNet's classes."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from capt_engine.data.class_files import paired, pairs_shown
from capt_engine.data.class_names import as_read, listed
from capt_engine.data.labelled_set import LabelledSet
from capt_engine.errors import BadRequest
from capt_engine.records.vocabulary import ABOUT_NAMES, distinct
from capt_engine.resources import resource

IMAGENET, EVERYDAY = "imagenet", "everyday"
LISTS = (IMAGENET, EVERYDAY)


@dataclass(frozen=True)
class ImageNetClass:
    """One class of ImageNet: its index, WordNet id, label (each label once) and all names that WordNet gives it."""

    index: int
    synset: str
    label: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Concept:
    """A word for several classes of ImageNet: its names, the first being the usual one, and the indices of the classes."""

    names: tuple[str, ...]
    classes: tuple[int, ...]


@lru_cache(maxsize=1)
def imagenet() -> tuple[ImageNetClass, ...]:
    """The 1,000 classes in ImageNet's order."""
    return tuple(
        ImageNetClass(int(row["index"]), row["synset"], row["label"], tuple(row["names"].split(", ")))
        for row in _rows("imagenet.csv")
    )


@lru_cache(maxsize=1)
def concepts() -> tuple[Concept, ...]:
    """WordNet's concepts over 2 to 400 of the classes, the widest first."""
    return tuple(Concept(tuple(row["names"].split(", ")), _numbers(row["classes"])) for row in _rows("concepts.csv"))


@lru_cache(maxsize=1)
def everyday() -> tuple[Concept, ...]:
    """Everyday words, each with the classes that it covers; no class is covered by two."""
    return tuple(Concept((row["word"],), _numbers(row["classes"])) for row in _rows("everyday.csv"))


def names_of(listing: str) -> tuple[str, ...]:
    """The names of a list that ships, "imagenet" or "everyday", in its order."""
    return tuple(one.label for one in imagenet()) if listing == IMAGENET else tuple(one.names[0] for one in everyday())


def listing_of(names: Sequence[str]) -> str:
    """Name the list that ships with exactly these names in this order, or give ""."""
    return next((one for one in LISTS if len(names) > 1 and tuple(names) == names_of(one)), "")


def judged_among(
    data: LabelledSet, names: Sequence[str], folders: Sequence[str] = (), *, of_folders: bool = False
) -> LabelledSet:
    """The same pictures among other class names, among which their classes are found; as many as there are, with others, rename them.

    folders: for each name the class that it is for, as a map gives them; it decides wherever it is given. Without, a
    class is found by its own spelling, then by another name or the id that WordNet gives it (in ImageNet's list), then in
    any case of letters. Where its name fits several, the index that the data set gives it decides, if it is one of
    theirs. Names that rename do so in the order of the classes, or (of_folders) in that of the folders' names as text,
    which is that of torchvision's ImageFolder. The notes of the result show the pairing. Raises BadRequest.
    """
    if not folders and (pairs := paired(names, data.classes)):
        names, folders = pairs.names, pairs.folders
    if folders and (set(folders) & set(data.classes) or not _counts(folders)):
        return _mapped(data, names, folders)
    if len(names) < len(data.classes):
        raise BadRequest(
            f"{len(names)} class names were given; {data.name!r} has {len(data.classes)} classes.",
            "Give one name per class, in the order of the data set, or a longer list that holds them all.",
        )
    found = _found(data, names)
    if len(names) == len(data.classes) and (None in found or len(set(found)) < len(found)):
        twice = [name for name, count in Counter(map(as_read, names)).items() if count > 1]
        if data.indices and twice:
            raise BadRequest(
                f"Several classes of {data.name!r} have the same name, so that no model can tell them apart: {listed(twice)}.",
                "Judge them among a list that has a name for each, such as --classes imagenet.",
            )
        if tuple(names) == data.classes:
            return _placed(data, names, range(len(names)))
        return _in_order(data, names, found, of_folders=of_folders)
    missing = [name for name, place in zip(data.classes, found, strict=True) if place is None]
    if missing:
        raise BadRequest(
            f"{len(missing)} of the {len(data.classes)} classes of {data.name!r} are not in the list of {len(names)} names: "
            f"{listed(missing)}.",
            "Give a list that holds all of them, one name per class in their order, or a map (folder,name).",
        )
    return _placed(data, names, [place for place in found if place is not None])


def _counts(folders: Sequence[str]) -> bool:
    """Return True for the numbers from 0: a list whose names are numbered rather than a map."""
    return list(folders) == [str(number) for number in range(len(folders))]


def _placed(data: LabelledSet, names: Sequence[str], places: Sequence[int], *notes: str) -> LabelledSet:
    """Return the pictures with their classes at these places of the names."""
    items = tuple(replace(item, label=places[item.label]) for item in data.items)
    return replace(data, classes=distinct(names), items=items, indices=(), notes=(*data.notes, *notes))


def _mapped(data: LabelledSet, names: Sequence[str], folders: Sequence[str]) -> LabelledSet:
    at = {folder: place for place, folder in reversed(list(enumerate(folders)))}
    missing = [name for name in data.classes if name not in at]
    if missing:
        raise BadRequest(
            f"The map of class names has none for {len(missing)} of the {len(data.classes)} classes of {data.name!r}: {listed(missing)}.",
            "Write a line (folder,name) for each of them.",
        )
    places = [at[name] for name in data.classes]
    pairs = pairs_shown(data.classes, [names[place] for place in places])
    return _placed(data, names, places, f"{ABOUT_NAMES}by the map: {pairs}.")


def _in_order(data: LabelledSet, names: Sequence[str], found: Sequence[int | None], *, of_folders: bool) -> LabelledSet:
    """Rename the classes in their order. Raises BadRequest where some are found by name, elsewhere than the order would have them."""
    classes = data.classes
    labels = range(len(classes))
    order, how = list(labels), "in the order of the labels"
    numbered = all(name.isascii() and name.isdigit() for name in classes)
    if of_folders and numbered and listing_of(names):
        # A list that ships counts its classes, and so do these folders.
        order, how = sorted(labels, key=lambda label: int(classes[label])), "by the folders' numbers"
    elif of_folders:
        order = sorted(labels, key=classes.__getitem__)
        how = "in the order of the folders' names as text, as ImageFolder of torchvision has them"
        how += ", not by number" if numbered and order != list(labels) else ""
    places = [0] * len(classes)
    for place, label in enumerate(order):
        places[label] = place
    lost = [name for name, place in zip(classes, found, strict=True) if place is None]
    if lost and any(place is not None and place != at for place, at in zip(found, places, strict=True)):
        raise BadRequest(
            f"Some classes of {data.name!r} are in the list by name, and others are not: {listed(lost)}.",
            "Correct the names, or give a map (folder,name).",
        )
    pairs = pairs_shown([classes[label] for label in order], names)
    return _placed(data, names, places, f"{ABOUT_NAMES}{how}: {pairs}. A map (folder,name) says it for certain.")


def _found(data: LabelledSet, names: Sequence[str]) -> list[int | None]:
    """The place of each class of the data set among the names; None where it has none."""
    places, fitting = _places(names)
    found: list[int | None] = []
    for name, index in zip(data.classes, data.indices or [-1] * len(data.classes), strict=True):
        named = next((places[way] for way in _ways(name) if way in places), None)
        found.append(index if index in fitting.get(as_read(name).casefold(), ()) else named)
    return found


def _ways(name: str) -> tuple[str, str]:
    return as_read(name), as_read(name).casefold()


def _places(names: Sequence[str]) -> tuple[dict[str, int], dict[str, set[int]]]:
    """Find the place of each name, under each way to write it; and of each name in small letters all the places that it fits.

    A way that two places claim equally is the first one's.
    """
    # Other names than ours of a class stand behind commas, as ImageNet writes them.
    others: list[tuple[str, ...]] = [tuple(name.split(",")) if "," in name else () for name in names]
    if listing_of(names) == IMAGENET:
        others = [(*one.names, one.synset) for one in imagenet()]
    places: dict[str, int] = {}
    for way in range(2):
        for index, name in enumerate(names):
            places.setdefault(_ways(name)[way], index)
        for index, some in enumerate(others):
            for name in some:
                places.setdefault(_ways(name)[way], index)
    fitting: dict[str, set[int]] = {}
    for index, (name, some) in enumerate(zip(names, others, strict=True)):
        for one in (name, *some):
            fitting.setdefault(as_read(one).casefold(), set()).add(index)
    return places, fitting


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(resource("classes", name).read_text(encoding="utf-8").splitlines()))


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of "3 7-9"."""
    ends = (part.partition("-") for part in text.split())
    return tuple(number for first, _, last in ends for number in range(int(first), int(last or first) + 1))
