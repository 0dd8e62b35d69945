"""The data sets of a protocol: under a folder of the user's, or drawn from the bundled toy world."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from capt_engine.data import benchmarks
from capt_engine.data.labelled_set import TEMPLATE_FILE
from capt_engine.data.picture_tree import subfolders
from capt_engine.data.sources import splits_of
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.files import write_atomic
from capt_engine.progress import Progress
from capt_engine.protocols.study import ALL, FIRST, StudySet

DEMO = "demo"
DEMO_SETS = ("shapes@night", "colours@film", "materials@night")
DEMO_SHIFTED = ("shapes@plain",)

# All that "all shots" means in a world without end. Fewer shots are drawn from as many, so that another seed draws other pictures.
_TRAIN, _VAL, _TEST = 48, 4, 40


class Pictures:
    """The data sets of a protocol by name. name, revision: marks of every cell, so that pictures of different origin are never mixed."""

    def __init__(self, root: str, limit: int, shots: Sequence[int | None]) -> None:
        """root: a folder, or "demo". limit, shots: how many of the toy world's pictures are needed. Raises BadRequest."""
        self._demo = root == DEMO
        self._root = Path(root).absolute()
        self._limit = limit
        self._train = max(_TRAIN, *(count or 0 for count in shots), 0)
        self._ready: set[str] = set()
        self.revision = 0
        self.name = str(self._root)
        if self._demo:
            from capt_engine.demo import world

            self._world = world
            self.revision, self.name = world.REVISION, f"demo, {self._train} training pictures per class"
        elif not self._root.is_dir():
            raise BadRequest(f"There is no folder {root!r}.", "Name the folder that holds the data sets, or demo.")

    def usual(self, protocol: str) -> tuple[str, ...]:
        """Return the names of the data sets that `protocol` (such as "shift") uses when the user names none.

        For a folder these are all the data sets in it; raises BadRequest where it holds none.
        """
        if self._demo:
            return DEMO_SHIFTED if protocol == "shift" else DEMO_SETS
        known = {Path(folder).parts[0]: one.name for one in benchmarks.BENCHMARKS for folder, _ in one.places}
        names = tuple(dict.fromkeys(known.get(name, name) for name in subfolders(str(self._root))))
        if not names:
            raise BadRequest(f"{self._root} holds no data sets.", "Give each a folder of its own there.")
        return names

    def check(self, dataset: str) -> None:
        """Raise BadRequest where there is no data set named `dataset`, or its folder has no test pictures."""
        if self._demo:
            task, domain = self._task_and_domain(dataset)
            self._world.check_domain(self._world.TASKS[task], domain)
        else:
            self._where(dataset)

    def other_looks(self, dataset: str) -> tuple[str, ...]:
        """Return the drawn data sets of the same task as `dataset` in every other style, as names TASK@DOMAIN.

        Returns none for data sets in a folder; raises BadRequest for a name that is not TASK@DOMAIN.
        """
        if not self._demo:
            return ()
        from capt_engine.demo.domains import DOMAINS

        task, own = self._task_and_domain(dataset)
        found: list[str] = []
        for domain in DOMAINS:
            try:
                self._world.check_domain(self._world.TASKS[task], domain)
            except BadRequest:
                continue
            found += [f"{task}@{domain}"] if domain != own else []
        return tuple(found)

    def place(self, dataset: str, progress: Progress) -> tuple[str, str]:
        """Return the fields `data` and `data_root` of a request for the data set with the name `dataset`.

        Demo pictures are drawn into the cache folder first, where they are not there yet. progress: called as they are
        drawn. Raises BadRequest where there is no such data set.
        """
        return (str(self._drawn(dataset, progress)), "") if self._demo else self._where(dataset)

    def _where(self, dataset: str) -> tuple[str, str]:
        # A benchmark first: its folder may well have its id for a name without being class folders.
        if dataset in benchmarks.BENCHMARKS.names():
            try:
                benchmarks.load(dataset, self._root, "test")
                return dataset, str(self._root)
            except BadRequest:
                if not (self._root / dataset).is_dir():
                    raise
        folder = self._root / dataset
        if not folder.exists():
            raise UnknownName("data set", dataset, (*subfolders(str(self._root)), *benchmarks.BENCHMARKS.names()))
        if "test" not in splits_of(str(folder))[0]:
            raise BadRequest(f"{folder} has no test pictures of its own.", "Divide it into train, val and test.")
        return str(folder), ""

    def _task_and_domain(self, dataset: str) -> tuple[str, str]:
        task, at, domain = dataset.partition("@")
        if not at:
            raise BadRequest(f"{dataset!r} is not TASK@DOMAIN.", "For example shapes@night.")
        return task, domain

    def _drawn(self, dataset: str, progress: Progress) -> Path:
        from capt_engine.demo.class_folders import write_class_folders
        from capt_engine.folders import cache_dir
        from capt_engine.protocols.cache import waited_for

        task_name, domain = self._task_and_domain(dataset)
        task = self._world.TASKS[task_name]
        test = math.ceil(self._limit / len(task.classes)) if self._limit else _TEST
        counts = {"train": self._train, "val": _VAL, "test": test}
        revision = "-".join(map(str, (self.revision, *counts.values())))
        folder = cache_dir() / "demo-data" / f"revision-{revision}" / dataset
        if dataset not in self._ready:
            with waited_for(folder.with_name(f"{dataset}.lock")):
                for split, count in counts.items():
                    drawing = partial(_noted, progress, f"drawing {dataset}, {split}")
                    write_class_folders(folder / split, task_name, split, domain, count, 0, drawing)
                write_atomic(folder / TEMPLATE_FILE, task.template + "\n")
            self._ready.add(dataset)
        return folder


class StudyPictures:
    """The data sets of the study: drawn from the toy world, or classes of CIFAR-10 out of a folder of the user's."""

    def __init__(self, cifar10: Path | None, limit: int, shots: Sequence[int | None]) -> None:
        """cifar10: a folder with CIFAR-10 as class folders in train and test, None for none. limit, shots: as in `Pictures`."""
        self._toys = Pictures(DEMO, limit, shots)
        self._cifar10 = cifar10
        self._limit = limit
        if cifar10 is not None and not all((cifar10 / split / name).is_dir() for split in _SPLITS for name in FIRST):
            raise BadRequest(
                f"{cifar10} is not CIFAR-10 as class folders.", "It holds train/airplane, test/airplane and so on."
            )

    def has(self, dataset: str) -> bool:
        """Return True where the pictures of the study's set named `dataset` can be had."""
        return ALL[dataset].is_toy or self._cifar10 is not None

    def sources(self) -> dict[str, tuple[str, int]]:
        """Return for each set of the study the text and the revision that say which pictures they are."""
        toys = (self._toys.name, self._toys.revision)
        return {name: toys if one.is_toy else (_cifar10_text(one), 0) for name, one in ALL.items()}

    def place(self, dataset: str, progress: Progress) -> tuple[str, str]:
        """Return the fields `data` and `data_root` of a request for the study's set named `dataset`.

        Toy pictures are drawn into the cache folder, those of CIFAR-10 copied there, where they are not there yet.
        progress: called meanwhile. Raises BadRequest where CIFAR-10 is needed and was not given.
        """
        one = ALL[dataset]
        if one.is_toy:
            return self._toys.place(dataset, progress)
        if self._cifar10 is None:
            raise BadRequest(f"{dataset} needs the pictures of CIFAR-10.", "Name their folder by --cifar10.")
        from capt_engine.folders import cache_dir
        from capt_engine.protocols.cache import waited_for

        folder = cache_dir() / "study-data" / _slug(_cifar10_text(one))
        with waited_for(folder.with_name(f"{folder.name}.lock")):
            for split, source, span in (("train", "train", _TRAINED_ON), ("test", one.split, _measured_on(one))):
                for name in one.classes:
                    _copy(sorted((self._cifar10 / source / name).iterdir())[span], folder / split / name)
        return str(folder), ""


# Of the sorted pictures of a class: the first so many train; development is measured on the last of the training pictures.
_TRAINED_ON = slice(0, 1000)
_DEVELOPED_ON = slice(-200, None)
_SPLITS = ("train", "test")


def _measured_on(one: StudySet) -> slice:
    return _DEVELOPED_ON if one.split == "train" else slice(None)


def _cifar10_text(one: StudySet) -> str:
    span = "last 200" if one.split == "train" else "all"
    return f"CIFAR-10, {', '.join(one.classes)}: first 1000 train, {span} {one.split} pictures of each class"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text)


def _copy(files: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = {file.name for file in folder.iterdir()}
    for file in files:
        if file.name not in there:
            write_atomic(folder / file.name, file.read_bytes())


def _noted(progress: Progress, note: str, done: int = 0, total: int = 0, _: str = "") -> None:
    progress(done, total, note)
