"""Files of class names: lists with commas in their names, and maps from folders to names in every usual writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from capt_engine.data.class_files import ClassFile, as_typed, paired, read_class_file, typed_names
from capt_engine.data.class_lists import imagenet, judged_among, names_of
from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.data.sources import load_splits
from capt_engine.errors import BadRequest
from tests.engine.data.test_labelled import fill

MUGS = ("mug, cup", "cube", "star, five-pointed star")
NUMBERED = LabelledSet("d", tuple(str(i) for i in range(1, 12)), tuple(Item(f"{i}.png", i) for i in range(11)))


def read(folder: Path, text: str, name: str = "names.txt") -> ClassFile:
    """What a file with this text holds."""
    (folder / name).write_text(text, encoding="utf-8-sig")
    return read_class_file(str(folder / name))


@pytest.mark.parametrize(
    "text",
    [
        "mug, cup\ncube\nstar, five-pointed star\n",
        '"mug, cup"\ncube\n\n"star, five-pointed star"',
        "mug, cup,\ncube,\nstar, five-pointed star,\n",
        '"mug, cup", cube, "star, five-pointed star"',
        '["mug, cup", "cube", "star, five-pointed star"]',
    ],
)
def test_a_comma_in_a_name_stays(tmp_path: Path, text: str) -> None:
    """A line is a name, as ImageNet writes several words for one class; on a single line quotes keep a name together."""
    assert read(tmp_path, text) == ClassFile(MUGS)


def test_names_between_commas_on_one_line(tmp_path: Path) -> None:
    """A file of one line is read as names are typed."""
    assert read(tmp_path, "cat, dog ,bird,\n").names == typed_names("cat, dog ,bird,") == ("cat", "dog", "bird")


@pytest.mark.parametrize("names", [MUGS, ('5" disk', '"q"', "a"), ("cat",), ("a;b", "c\td")])
def test_typed_names_come_back(names: tuple[str, ...]) -> None:
    """What is printed for names gives the same names when it is typed."""
    assert typed_names(as_typed(names)) == names


@pytest.mark.parametrize(
    "text",
    [
        "folder,name\n2,mug\n1,star\n",
        "name;folder\nmug;2\nstar;1\n",
        "label\tn\tclass_name\n2\t5\tmug\n1\t6\tstar\n",
        '{"2": "mug", "1": "star"}',
    ],
)
def test_a_map_names_folders(tmp_path: Path, text: str) -> None:
    """CSV with a head, whatever stands between, or JSON: each name has its folder."""
    found = read(tmp_path, text)
    assert dict(zip(found.folders, found.names, strict=True)) == {"1": "star", "2": "mug"}


@pytest.mark.parametrize(
    "text",
    [
        "n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\n",
        "n01440764\ttench, Tinca tinca\nn01443537\tgoldfish, Carassius auratus\n",
        '{"1": ["n01443537", "goldfish, Carassius auratus"], "0": ["n01440764", "tench, Tinca tinca"]}',
    ],
)
def test_imagenets_own_files_are_maps(tmp_path: Path, text: str) -> None:
    """LOC_synset_mapping.txt, words.txt and imagenet_class_index.json give WordNet ids their names."""
    wanted = ("n01440764", "n01443537")
    assert read(tmp_path, text) == ClassFile(("tench, Tinca tinca", "goldfish, Carassius auratus"), wanted)


@pytest.mark.parametrize("text", ["", "\n \n", "[]", "[1]", '{"a": ["b"]}', '{"a": 1}', "{", "folder,name\n"])
def test_files_without_names_are_refused(tmp_path: Path, text: str) -> None:
    """Nothing, numbers and broken JSON get a sentence that names the file."""
    with pytest.raises(BadRequest, match=r"names\.txt"):
        read(tmp_path, text)


def test_a_map_decides() -> None:
    """Whatever the order, each folder gets its name; names without a folder are among the answers; the pairing is shown."""
    folders = (*reversed(NUMBERED.classes), "12")
    found = judged_among(NUMBERED, [f"name {one}" for one in folders], folders)
    assert [found.classes[item.label] for item in found.items] == [f"name {one}" for one in NUMBERED.classes]
    assert len(found.classes) == 12
    assert "Class names by the map: 1 → name 1; 2 → name 2" in found.notes[0]
    with pytest.raises(BadRequest, match="none for 1 of the 11 classes of 'd': 11"):
        judged_among(NUMBERED, folders[1:], folders[1:])


def test_a_list_of_folders_and_names_is_a_map() -> None:
    """Lines that begin with every folder's name say what each is, without a head too; other lines are names."""
    lines = [f"{one},name {one}" for one in reversed(NUMBERED.classes)]
    found = judged_among(NUMBERED, lines)
    assert [found.classes[item.label] for item in found.items] == [f"name {one}" for one in NUMBERED.classes]
    assert paired(["1 a", "3 b"], ["1", "2"]) is None
    assert paired(["crane, bird", "dog, hound"], ["crane", "dog"]) is None
    assert paired(["folder,name", "1,a", "2,b"], ["1", "2"]) == ClassFile(("a", "b"), ("1", "2"))


def test_a_folder_is_found_by_any_of_the_words_for_its_class() -> None:
    """The folders crane and mug are found in a list that writes several words for a class, whatever its order."""
    data = LabelledSet("d", ("crane", "mug"), (Item("a.png", 0), Item("b.png", 1)))
    found = judged_among(data, ("coffee mug, mug", "crane, bird"), of_folders=True)
    assert [item.label for item in found.items] == [1, 0]


def test_numbered_folders_are_named_in_imagefolders_order() -> None:
    """One name per folder is taken in the order of torchvision's ImageFolder (1, 10, 11, 2 …), and the pairing is shown."""
    order = sorted(NUMBERED.classes)
    found = judged_among(NUMBERED, [f"name {one}" for one in order], of_folders=True)
    assert [found.classes[item.label] for item in found.items] == [f"name {one}" for one in NUMBERED.classes]
    assert (
        "ImageFolder of torchvision has them, not by number: 1 → name 1; 10 → name 10; 11 → name 11" in found.notes[0]
    )
    labels = judged_among(NUMBERED, [f"name {one}" for one in NUMBERED.classes])
    assert [labels.classes[item.label] for item in labels.items] == [f"name {one}" for one in NUMBERED.classes]


def test_numbered_names_are_a_list_where_no_folder_has_a_number() -> None:
    """{"0": "tench"} names a folder 0 where there is one, and otherwise is a list in the order of its numbers."""
    data = LabelledSet("d", ("tench", "goldfish"), (Item("a.png", 0), Item("b.png", 1)))
    found = judged_among(data, ("goldfish", "tench"), ("0", "1"))
    assert [item.label for item in found.items] == [1, 0]


def test_folders_of_a_list_that_ships() -> None:
    """Folders called by WordNet's ids, or by the numbers of all of ImageNet's classes, are found in its list."""
    data = LabelledSet("d", ("n01443537", "n01440764"), (Item("a.png", 0), Item("b.png", 1)))
    assert [item.label for item in judged_among(data, names_of("imagenet"), of_folders=True).items] == [1, 0]
    numbers = tuple(str(i) for i in range(len(imagenet())))
    every = LabelledSet("d", numbers, (Item("a.png", 10), Item("b.png", 2)))
    assert [item.label for item in judged_among(every, names_of("imagenet"), of_folders=True).items] == [10, 2]


def test_names_that_fit_in_part_are_no_order() -> None:
    """Where some classes are found by name, elsewhere than their order would have them, the rest is not paired by order."""
    data = LabelledSet("d", ("bird", "cat", "dog"), (Item("a.png", 0),))
    with pytest.raises(BadRequest, match="in the list by name, and others are not: dog"):
        judged_among(data, ("kitten", "bird", "cat"), of_folders=True)
    assert judged_among(data, ("bird", "cat", "puppy"), of_folders=True).classes == ("bird", "cat", "puppy")


def test_equal_names_are_told_apart() -> None:
    """CLIP's list for ImageNet has "missile" and "sunglasses" twice: the second gets a number that no sentence says."""
    data = LabelledSet("d", ("n1", "n2", "n3"), (Item("a.png", 2),))
    assert judged_among(data, ("missile", "missile", "a"), of_folders=True).classes == ("missile", "missile (#2)", "a")


@pytest.mark.parametrize(
    ("name", "text"), [("classes.csv", "folder,name\n1,mug\n2,star\n"), ("classes.json", '{"1": "mug", "2": "star"}')]
)
def test_a_map_beside_the_folders(tmp_path: Path, name: str, text: str) -> None:
    """classes.csv or classes.json beside class folders names them in all parts, and the notes show it."""
    fill(tmp_path, "train/1/a.png", "train/2/a.png", "test/2/b.png")
    (tmp_path / name).write_text(text)
    sets = load_splits(tmp_path)
    assert {each.classes for each in sets.values()} == {("mug", "star")}
    assert sets["test"].items[0].label == 1
    assert sets["test"].notes == (f"Class names by {name}: 1 → mug; 2 → star.",)


@pytest.mark.parametrize("text", ["a,b\nc,d\n", "folder,name\n8,mug\n9,star\n", "[[", ""])
def test_a_file_of_something_else_beside_the_folders(tmp_path: Path, text: str) -> None:
    """A file of that name that maps none of the folders leaves them their names, and the notes say so."""
    fill(tmp_path, "1/a.png", "2/a.png")
    (tmp_path / "classes.csv").write_text(text)
    data = load_splits(tmp_path)["all"]
    assert data.classes == ("1", "2")
    assert "was not used" in data.notes[0]


def test_a_map_beside_the_folders_names_all_of_them(tmp_path: Path) -> None:
    """One that lacks a folder is refused by its name."""
    fill(tmp_path, "1/a.png", "2/a.png")
    (tmp_path / "classes.csv").write_text("folder,name\n1,mug\n")
    with pytest.raises(BadRequest, match="no name for 1 of the 2 folders: 2"):
        load_splits(tmp_path)
