"""Labelled pictures before anything is learned from them: what a scan finds, and which picture is used for what."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.pictures import FailedPicture
from capt_engine.records.requests import Request, Result

USES = ("train", "val", "test", "unused")
"""The uses of a picture: tuned on, validated on, kept for the test, or not used."""


@dataclass(frozen=True)
class ScanRequest(Request):
    """Look through labelled pictures, read-only.

    data: class folders, a CSV with `path,label`, a split file or a benchmark's id; or several folders, each of them one class, or each
    of them with class folders in it, or called train, val and test.
    model, template: whose tokens the class names are counted in ("" counts none; "" is the data set's own template).
    keep: a folder for the inventory that `SplitRequest` reads, "" keeps none. thumbnails: so many small views of each class, at most
    `size` pixels wide and high; they leave as `PreviewsReady`.
    """

    data: tuple[str, ...]
    data_root: str = ""
    model: str = ""
    template: str = ""
    keep: str = ""
    thumbnails: int = 6
    size: int = 96


@dataclass(frozen=True)
class ToyWorldRequest(Request):
    """Draw labelled pictures of the toy world into `folder`, so many of each class, in one folder for each; `split` as of a data set.

    Those that are there already stay.
    """

    folder: str
    split: str = "test"
    per_class: int = 10


@dataclass(frozen=True)
class ToyWorldDrawn(Result):
    """The folder that holds the toy world's pictures, and how many there are."""

    folder: str
    n: int


@dataclass(frozen=True)
class TinyPicture:
    """A picture so small that CLIP has to enlarge it many times."""

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class Member:
    """One picture among its duplicates: where it is, and what it is called there."""

    path: str
    class_name: str
    split: str


@dataclass(frozen=True)
class Duplicates:
    """Pictures that are the same to the byte, or look alike; at least two."""

    members: tuple[Member, ...]

    @property
    def across_classes(self) -> bool:
        """Return True if these equal or alike pictures are in different classes.

        Then a label is wrong, or the classes overlap.
        """
        return len({member.class_name for member in self.members}) > 1

    @property
    def across_splits(self) -> bool:
        """Return True if these equal or alike pictures are in different splits, such as train and test.

        Then a test would use what was trained on.
        """
        return len({member.split for member in self.members}) > 1


@dataclass(frozen=True)
class ClassCount:
    """One class: `listed` pictures in all splits, of which `usable` can be read; `by_split` has (split, usable)."""

    name: str
    listed: int
    usable: int
    by_split: tuple[tuple[str, int], ...]
    tiny: int = 0
    duplicates: int = 0


@dataclass(frozen=True)
class LongName:
    """A class name that needs more tokens than the model reads, so that its end would be cut off."""

    name: str
    tokens: int


@dataclass(frozen=True)
class ScanResult(Result):
    """The content of a data set.

    splits: (name, usable pictures). unreadable: pictures, but also folders that cannot be read and links that are not followed, each with
    its class ("" above all classes); `listed` counts pictures only. same: groups equal to the byte. alike: groups that look alike without
    being all equal to the byte. imbalance: pictures of the largest class / of the smallest that has any, over all splits, at least 1.
    token_limit: 0 when it was not checked. notes: what else there is to say, in sentences. inventory: the file that was kept, "" where
    none was.
    """

    root: str
    splits: tuple[tuple[str, int], ...]
    classes: tuple[ClassCount, ...]
    listed: int
    usable: int
    unreadable: tuple[tuple[str, FailedPicture], ...]
    tiny: tuple[TinyPicture, ...]
    same: tuple[Duplicates, ...]
    alike: tuple[Duplicates, ...]
    imbalance: float
    long_names: tuple[LongName, ...] = ()
    token_limit: int = 0
    notes: tuple[str, ...] = ()
    template: str = ""
    inventory: str = ""


@dataclass(frozen=True)
class SplitRequest(Request):
    """Divide pictures into training, validation and test; reads a scan's inventory and opens no picture.

    excluded, excluded_classes: paths and class names that are left out. own_parts: keep the data set's own train, val and test instead
    of drawing them. shots: pictures per class, None for all. val_share, test_share: of each class's usable pictures, in [0, 1); pictures
    that are alike stay together. out: the CSV (`path,label,split`) to write, "" only previews.
    """

    inventory: str
    excluded: tuple[str, ...] = ()
    excluded_classes: tuple[str, ...] = ()
    own_parts: bool = False
    shots: int | None = 16
    val_share: float = 0.1
    test_share: float = 0.3
    seed: int = 0
    out: str = ""


@dataclass(frozen=True)
class Assigned:
    """One picture and its use, one of USES."""

    path: str
    class_name: str
    use: str


@dataclass(frozen=True)
class ClassSplit:
    """One class: how many of its pictures go where; `pool` are all training pictures there are, `train` those that were drawn."""

    name: str
    pool: int
    train: int
    val: int
    test: int
    unused: int


@dataclass(frozen=True)
class SplitResult(Result):
    """The split of each picture. blocks: sentences that forbid going on; warnings: sentences that do not."""

    classes: tuple[ClassSplit, ...]
    pictures: tuple[Assigned, ...]
    blocks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    out: str = ""
    sha256: str = ""
