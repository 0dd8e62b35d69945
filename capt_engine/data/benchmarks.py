"""The fifteen data sets of the paper's family: where their files lie, and how they are read.

Layouts, labels and class names: CoOp, DATASETS.md and datasets/*.py; other folder names: APT, DATASETS.md; templates: FAP.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from capt_engine.data.labelled_set import SPLITS, Item, LabelledSet, text_of
from capt_engine.data.picture_lists import read_split_file
from capt_engine.data.picture_tree import pictures_in, subfolders
from capt_engine.errors import BadRequest
from capt_engine.registry import Table

PHOTO = "a photo of a {}."

# The layouts, by what gives a picture its label.
SPLIT_FILE, VARIANTS, IMAGENET, NUMBERED, SKETCH, SUBSET = (
    "split file",
    "variants",
    "imagenet",
    "0 to 999",
    "n*",
    "some n*",
)


@dataclass(frozen=True)
class Benchmark:
    """One published data set.

    name: what it is called on the command line; registry: what CoOp's and its relatives' configurations call it.
    places: (its folder under the data root, the pictures' folder under that) in CoOp's layout, then in others that are met.
    sizes: pictures in (train, val, test) as published; a test-only set has none of the first two, ImageNet validates on its test set.
    source: the archive and whoever publishes it, for a person who has to fetch it (addresses: CoOp and APT, DATASETS.md).
    """

    name: str
    registry: str
    layout: str
    places: tuple[tuple[str, str], ...]
    classes: int
    sizes: tuple[int, int, int]
    template: str = PHOTO
    split_file: str = ""
    source: str = ""

    @property
    def test_only(self) -> bool:
        """Return True for a data set without training pictures."""
        return self.sizes[0] == 0


BENCHMARKS: Table[Benchmark] = Table(
    "benchmark",
    Benchmark("imagenet", "ImageNet", IMAGENET, (("imagenet", "images"),), 1000, (1_281_167, 0, 50_000),
              source="ILSVRC2012's training and validation archives, from image-net.org (after registration), a folder for each class"),
    Benchmark("caltech101", "Caltech101", SPLIT_FILE, (("caltech-101", "101_ObjectCategories"),), 100, (4128, 1649, 2465),
              PHOTO, "split_zhou_Caltech101.json",
              source="101_ObjectCategories.tar.gz of Caltech-101, from the California Institute of Technology (data.caltech.edu)"),
    Benchmark("oxford_pets", "OxfordPets", SPLIT_FILE, (("oxford_pets", "images"),), 37, (2944, 736, 3669),
              "a photo of a {}, a type of pet.", "split_zhou_OxfordPets.json",
              source="images.tar.gz of the Oxford-IIIT Pet data set, from robots.ox.ac.uk/~vgg/data/pets"),
    Benchmark("stanford_cars", "StanfordCars", SPLIT_FILE, (("stanford_cars", ""),), 196, (6509, 1635, 8041),
              PHOTO, "split_zhou_StanfordCars.json",
              source="cars_train.tgz and cars_test.tgz of Stanford Cars, once at ai.stanford.edu/~jkrause/cars, since on mirrors only"),
    Benchmark("oxford_flowers", "OxfordFlowers", SPLIT_FILE, (("oxford_flowers", "jpg"),), 102, (4093, 1633, 2463),
              "a photo of a {}, a type of flower.", "split_zhou_OxfordFlowers.json",
              source="102flowers.tgz of the 102 category flower data set, from robots.ox.ac.uk/~vgg/data/flowers/102"),
    Benchmark("food101", "Food101", SPLIT_FILE, (("food-101", "images"),), 101, (50_500, 20_200, 30_300),
              "a photo of {}, a type of food.", "split_zhou_Food101.json",
              source="food-101.tar.gz of Food-101, from ETH Zürich (data.vision.ee.ethz.ch/cvl/datasets_extra/food-101)"),
    Benchmark("fgvc_aircraft", "FGVCAircraft", VARIANTS, (("fgvc_aircraft", "images"),), 100, (3334, 3333, 3333),
              "a photo of a {}, a type of aircraft.",
              source="fgvc-aircraft-2013b.tar.gz, of which data/ is the folder, from robots.ox.ac.uk/~vgg/data/fgvc-aircraft"),
    Benchmark("sun397", "SUN397", SPLIT_FILE, (("sun397", "SUN397"),), 397, (15_880, 3970, 19_850),
              PHOTO, "split_zhou_SUN397.json",
              source="SUN397.tar.gz of the SUN database, from Princeton University (vision.princeton.edu/projects/2010/SUN)"),
    Benchmark("dtd", "DescribableTextures", SPLIT_FILE, (("dtd", "images"),), 47, (2820, 1128, 1692),
              "{} texture.", "split_zhou_DescribableTextures.json",
              source="dtd-r1.0.1.tar.gz of the Describable Textures data set, from robots.ox.ac.uk/~vgg/data/dtd"),
    Benchmark("eurosat", "EuroSAT", SPLIT_FILE, (("eurosat", "2750"),), 10, (13_500, 5400, 8100),
              "a centered satellite photo of {}.", "split_zhou_EuroSAT.json",
              source="EuroSAT.zip (the RGB pictures), from the DFKI (madm.dfki.de) or its authors' github.com/phelber/EuroSAT"),
    Benchmark("ucf101", "UCF101", SPLIT_FILE, (("ucf101", "UCF-101-midframes"),), 101, (7639, 1898, 3783),
              "a photo of a person doing {}.", "split_zhou_UCF101.json",
              source="UCF-101-midframes.zip, the middle frame of each video, which CoOp's DATASETS.md links (github.com/KaiyangZhou/CoOp)"),
    Benchmark("imagenetv2", "ImageNetV2", NUMBERED,
              (("imagenetv2", "imagenetv2-matched-frequency-format-val"), ("imagenetv2-matched-frequency-format-val", "")),
              1000, (0, 0, 10_000),
              source="imagenetv2-matched-frequency.tar.gz, from github.com/modestyachts/ImageNetV2"),
    Benchmark("imagenet_sketch", "ImageNetSketch", SKETCH, (("imagenet-sketch", "images"), ("imagenet-sketch", "sketch")),
              1000, (0, 0, 50_889),
              source="ImageNet-Sketch, from github.com/HaohanWang/ImageNet-Sketch"),
    Benchmark("imagenet_a", "ImageNetA", SUBSET, (("imagenet-adversarial", "imagenet-a"), ("imagenet-a", "")), 200, (0, 0, 7500),
              source="imagenet-a.tar, from github.com/hendrycks/natural-adv-examples"),
    Benchmark("imagenet_r", "ImageNetR", SUBSET, (("imagenet-rendition", "imagenet-r"), ("imagenet-r", "")), 200, (0, 0, 30_000),
              source="imagenet-r.tar, from github.com/hendrycks/imagenet-r"),
)  # fmt: skip


def load(name: str, root: str | os.PathLike[str], split: str = "test") -> LabelledSet:
    """Read one split of the published data set `name`, such as "oxford_pets", from its folder below `root`.

    split: "train", "val" or "test"; ImageNet's "val" is its test set, as in CoOp. ImageNet-A and -R have their own 200
    classes, as in CoOp, and not all 1000 as in APT; the two are not comparable. Raises UnknownName for another name,
    and BadRequest for a split that the data set lacks, or where folders or lists are missing, which it names.
    """
    benchmark = BENCHMARKS[name]
    if split not in SPLITS:
        raise BadRequest(f"There is no split called {split!r}.", "Choose train, val or test.")
    if benchmark.test_only and split != "test":
        raise BadRequest(f"{benchmark.registry} is for testing only; it has no {split} pictures.", "Train on ImageNet.")
    place = _Place.of(benchmark, root)
    missing = "; ".join(f"{part.path}: {part.meaning}" for part in _missing_parts(benchmark, place))
    if missing:
        raise BadRequest(
            f"{benchmark.registry} is not complete. Missing: {missing}.", "CoOp's DATASETS.md has them all."
        )
    if benchmark.layout == SPLIT_FILE:
        data = read_split_file(str(Path(place.folder, benchmark.split_file)), (place.pictures,), sure=True)[split]
    elif benchmark.layout == VARIANTS:
        data = _from_variants(place, split)
    else:
        data = _from_synsets(benchmark, place, split)
    return replace(data, name=name, template=benchmark.template)


@dataclass(frozen=True)
class _Place:
    """The paths of a benchmark: its folder, its pictures' folder, and for ImageNet's kin the list of class names."""

    folder: str
    pictures: str
    class_names: str

    @classmethod
    def of(cls, benchmark: Benchmark, root: str | os.PathLike[str]) -> _Place:
        top = Path(os.path.normpath(Path(root).absolute()))
        places = [(top / folder, top / folder / pictures) for folder, pictures in benchmark.places]
        here = (
            [place for place in places if place[1].is_dir()]
            or [place for place in places if place[0].is_dir()]
            or places
        )
        folder, pictures = here[0]
        # Every copy of this list is the same, so ImageNet's own serves the shifts too.
        lists = [folder / "classnames.txt", top / "imagenet" / "classnames.txt", top / "classnames.txt"]
        return cls(str(folder), str(pictures), str(next((file for file in lists if file.is_file()), lists[0])))


class Missing(NamedTuple):
    """A part without which a data set cannot be read: its path, a few words on it, and what to fetch it from, as a sentence."""

    path: str
    meaning: str
    fetch: str


def folder_of(name: str, root: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the folder of the published data set `name` below `root`, and that of its pictures; neither need be there."""
    place = _Place.of(BENCHMARKS[name], root)
    return place.folder, place.pictures


def missing_parts(name: str, root: str | os.PathLike[str]) -> tuple[Missing, ...]:
    """Return the folders and lists of the published data set `name` that are not below `root`; nothing where it can be read.

    Without the data set's own folder that alone is named. Raises UnknownName for another name.
    """
    benchmark = BENCHMARKS[name]
    return tuple(_missing_parts(benchmark, _Place.of(benchmark, root)))


def missing_class_folders(name: str, root: str | os.PathLike[str], split: str) -> tuple[str, ...]:
    """Return the class folders of `split` that the list of class names has and the disk below `root` does not.

    Returns none for data sets whose pictures are listed, and for those with a part of ImageNet's classes, which nothing
    lists. Raises BadRequest where the folder of the pictures or the list is missing.
    """
    benchmark, place = BENCHMARKS[name], _Place.of(BENCHMARKS[name], root)
    if benchmark.layout not in (IMAGENET, NUMBERED, SKETCH):
        return ()
    names = _read_class_names(place.class_names)
    there = set(subfolders(str(_top_of(benchmark, place, split))))
    wanted = map(str, range(len(names))) if benchmark.layout == NUMBERED else names
    return tuple(one for one in wanted if one not in there)


def _missing_parts(benchmark: Benchmark, place: _Place) -> Iterator[Missing]:
    """The folders and lists without which nothing can be read."""
    pictures = f"{benchmark.source}."
    lists = {
        file: (meaning, pictures if benchmark.layout == VARIANTS else f"{file.name}: {_LISTS}.")
        for name, meaning in _lists(benchmark, place).items()
        if not (file := Path(place.folder, name)).is_file()
    }
    if not Path(place.folder).is_dir():
        fetch = dict.fromkeys([pictures, *(sentence for _, sentence in lists.values())])
        yield Missing(place.folder, f"the folder of {benchmark.registry}", " ".join(fetch))
        return
    if place.pictures != place.folder and not Path(place.pictures).is_dir():
        yield Missing(place.pictures, "the folder of the pictures", pictures)
    elif benchmark.layout == IMAGENET:
        for part in ("train", "val"):
            if not Path(place.pictures, part).is_dir():
                yield Missing(str(Path(place.pictures, part)), f"the class folders of the {part} pictures", pictures)
    for file, (meaning, fetch_list) in lists.items():
        yield Missing(str(file), meaning, fetch_list)


# CoOp's authors keep the lists that they made themselves at links from this page.
_LISTS = "linked by CoOp's DATASETS.md (github.com/KaiyangZhou/CoOp)"


def _lists(benchmark: Benchmark, place: _Place) -> Mapping[str, str]:
    if benchmark.layout == SPLIT_FILE:
        return {benchmark.split_file: "CoOp's list of the train, val and test pictures, which were drawn at random"}
    if benchmark.layout == VARIANTS:
        lists = {f"images_variant_{split}.txt": f"the list of the {split} pictures" for split in SPLITS}
        return {"variants.txt": "the class names", **lists}
    return {place.class_names: "CoOp's list of class names"}


def _from_variants(place: _Place, split: str) -> LabelledSet:
    """FGVC Aircraft: classes in the order of variants.txt, and a line "number class name" for each picture."""
    classes = tuple(line for line in _lines(str(Path(place.folder, "variants.txt"))) if line)
    label = {class_name: index for index, class_name in enumerate(classes)}
    file = str(Path(place.folder, f"images_variant_{split}.txt"))
    items = []
    for line in _lines(file):
        if not line:
            continue
        number, _, class_name = line.partition(" ")
        if class_name not in label:
            raise BadRequest(
                f"{file} names a class that variants.txt does not: {class_name!r}.", "Fetch both files again."
            )
        items.append(Item(str(Path(place.pictures, f"{number}.jpg")), label[class_name]))
    return LabelledSet("", classes, tuple(items), root=place.pictures)


def _from_synsets(benchmark: Benchmark, place: _Place, split: str) -> LabelledSet:
    """ImageNet and its shifts: a folder for each class, named by classnames.txt."""
    names = _read_class_names(place.class_names)
    top = _top_of(benchmark, place, split)
    if benchmark.layout == NUMBERED:
        folders = {wnid: str(number) for number, wnid in enumerate(names)}
        classes = list(names)
    else:
        found = _synsets(str(top))
        folders = {wnid: wnid for wnid in found}
        # Both of ImageNet's splits decide together, or a class that one lacks would shift the other's labels.
        parts = ("train", "val") if benchmark.layout == IMAGENET else ("",)
        classes = sorted({wnid for part in parts for wnid in _synsets(str(Path(place.pictures, part)))})
    strangers = [wnid for wnid in classes if wnid not in names]
    if strangers or not classes:
        raise BadRequest(
            f"{place.class_names} does not name the class folder {strangers[0]}."
            if strangers
            else f"{top} has no class folders.",
            "Fetch the list, or the pictures, again.",
        )
    items = tuple(
        Item(file, label)
        for label, wnid in enumerate(classes)
        if wnid in folders
        for file in pictures_in(str(top / folders[wnid]))
    )
    common = Counter(names[wnid] for wnid in classes)
    # ImageNet has pairs of classes with one name. The name alone would not say which of the two is meant.
    unique = tuple(f"{names[wnid]} ({wnid})" if common[names[wnid]] > 1 else names[wnid] for wnid in classes)
    return LabelledSet("", unique, items, root=str(top))


def _top_of(benchmark: Benchmark, place: _Place, split: str) -> Path:
    """The folder of the class folders of a split."""
    if benchmark.layout == IMAGENET:
        return Path(place.pictures, "train" if split == "train" else "val")
    return Path(place.pictures)


def _synsets(folder: str) -> list[str]:
    return sorted(name for name in subfolders(folder) if re.fullmatch(r"n\d{8}", name))


def _read_class_names(path: str) -> dict[str, str]:
    """{"n01440764": "tench", …} in the order of the file."""
    names = {}
    for line in _lines(path):
        wnid, _, name = line.partition(" ")
        if wnid and name:
            names[wnid] = name.strip()
        elif wnid:
            raise BadRequest(
                f"A line of {path} is not a folder's name and a class name: {line[:80]!r}.", "Fetch the list again."
            )
    if not names:
        raise BadRequest(f"{path} is empty.", "Fetch the list again.")
    return names


def _lines(path: str) -> list[str]:
    return [line.strip() for line in text_of(path).splitlines()]
