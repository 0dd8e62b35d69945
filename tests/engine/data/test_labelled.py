"""Labelled pictures come out of class folders, CSV and split files with the labels the source gives, or with a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from capt_engine.data.class_lists import judged_among, names_of
from capt_engine.data.labelled_set import LabelledSet, TargetColumn
from capt_engine.data.sources import labelled, load_splits
from capt_engine.errors import BadRequest, CaptError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)

posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes are made the POSIX way")


def only(path: Path) -> LabelledSet:
    """The one part of an undivided data set."""
    return labelled(str(path))[0]


def fill(folder: Path, *names: str) -> Path:
    """Writes files that look like pictures, with the folders they need."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)
    return folder


def seen(data: LabelledSet, folder: Path) -> list[tuple[str, str]]:
    """(path from the folder, class name) of each item, in order."""
    return [(Path(item.path).relative_to(folder).as_posix(), data.classes[item.label]) for item in data.items]


def split_file(folder: Path, **lists: object) -> Path:
    """Writes a split file with the given lists; those left out are empty."""
    path = folder / "split_zhou_Toys.json"
    path.write_text(json.dumps({"train": [], "val": [], "test": [], **lists}), encoding="utf-8")
    return path


def test_class_folders_in_natural_order(tmp_path: Path) -> None:
    """Folders directly in the root are classes, counted from 0 in natural order; deeper pictures belong to them."""
    fill(
        tmp_path,
        "b10/1.png",
        "b2/10.png",
        "b2/9.png",
        "b2/deep/er/x.jpg",
        "a_b/1.png",
        ".git/1.png",
        "__MACOSX/b2/1.png",
    )
    fill(tmp_path, "at the top.png")
    data = only(tmp_path)
    assert data.classes == ("a_b", "b2", "b10")
    assert (data.name, data.root) == (tmp_path.name, str(tmp_path))
    assert seen(data, tmp_path) == [
        ("a_b/1.png", "a_b"), ("b2/9.png", "b2"), ("b2/10.png", "b2"), ("b2/deep/er/x.jpg", "b2"), ("b10/1.png", "b10"),
    ]  # fmt: skip
    assert data.counts() == (1, 3, 1)


def test_files_that_are_no_pictures_are_passed_over(tmp_path: Path) -> None:
    """Notes beside pictures are no items, a picture without a suffix is one, and a folder of notes is no class."""
    fill(tmp_path, "cat/1.png", "cat/picture", "dog/1.HEIC")
    for name in ("cat/notes.txt", "notes/todo.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("words")
    assert only(tmp_path).classes == ("cat", "dog")
    assert only(tmp_path).counts() == (2, 1)


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_splits_share_their_labels(tmp_path: Path, val: str) -> None:
    """A class that one split lacks keeps its number in all of them, and each common name of the validation split is known."""
    fill(tmp_path, "train/a/1.png", "train/c/1.png", f"{val}/b/1.png", "test/c/1.png", "test/a/1.png")
    sets = load_splits(tmp_path)
    assert list(sets) == ["train", "val", "test"]
    assert {data.classes for data in sets.values()} == {("a", "b", "c")}
    assert [[item.label for item in data.items] for data in sets.values()] == [[0, 2], [1], [0, 2]]


def test_the_only_split_needs_no_name(tmp_path: Path) -> None:
    """A root that holds nothing but a test split is that split; one without splits has no test part."""
    fill(tmp_path / "one", "test/a/1.png", "test/b/1.png")
    fill(tmp_path / "none", "a/1.png", "b/1.png")
    assert only(tmp_path / "one").classes == ("a", "b")
    with pytest.raises(BadRequest, match="not divided"):
        labelled(str(tmp_path / "none"), "test")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    """Beside bus and car, a folder of trains is a class, with or without subfolders."""
    fill(tmp_path / "flat", "bus/1.png", "car/1.png", "train/1.png")
    fill(tmp_path / "deep", "bus/1.png", "car/1.png", "train/steam/1.png")
    for root in (tmp_path / "flat", tmp_path / "deep"):
        assert only(root).classes == ("bus", "car", "train")


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    """valid and validation side by side are a question, not a guess."""
    fill(tmp_path, "train/a/1.png", "valid/a/1.png", "validation/a/1.png")
    with pytest.raises(BadRequest, match="more than one folder for val: valid, validation"):
        load_splits(tmp_path)


@posix
def test_links_lead_nowhere_twice(tmp_path: Path) -> None:
    """Links to a folder above, to themselves, or to another class add neither classes nor pictures; others are followed."""
    root = fill(tmp_path / "set", "cat/1.png", "dog/1.png")
    fill(tmp_path / "elsewhere", "2.png")
    for link, target in (
        ("loop", "."), ("up", ".."), ("self", "self"), ("cat/back", ".."), ("cat/dogs", "../dog"), ("cat/cats", "."),
        ("cat/more", "../../elsewhere"), ("bird", "../elsewhere"),
    ):  # fmt: skip
        (root / link).symlink_to(target)
    data = only(root)
    assert seen(data, root) == [
        ("bird/2.png", "bird"),
        ("cat/1.png", "cat"),
        ("cat/more/2.png", "cat"),
        ("dog/1.png", "dog"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("comma", [",", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv(tmp_path: Path, encoding: str, comma: str, newline: str) -> None:
    """Paths start from the CSV, labels are class names in natural order, whatever spreadsheet wrote it."""
    fill(tmp_path, "x/1.png", "x/2.png", "x/3.png")
    lines = ["Path,Label", "x/1.png,Größe 10", 'x/2.png,"Größe 2"', "", "x/3.png,Größe 10"]
    file = tmp_path / "labels.csv"
    file.write_bytes(newline.join(line.replace(",", comma) for line in lines).encode(encoding))
    data = only(file)
    assert data.classes == ("Größe 2", "Größe 10")
    assert seen(data, tmp_path) == [("x/1.png", "Größe 10"), ("x/2.png", "Größe 2"), ("x/3.png", "Größe 10")]


def test_csv_with_numbers_and_splits(tmp_path: Path) -> None:
    """Optional columns say what each number is called and which split a row is in."""
    fill(tmp_path, "1.png", "2.png")
    file = tmp_path / "labels.csv"
    file.write_text("path,label,class_name,split\n1.png,1,dog,test\n2.png,0,cat,train\n")
    sets = load_splits(file)
    assert {split: (data.classes, data.items[0].label) for split, data in sets.items()} == {
        "train": (("cat", "dog"), 0),
        "test": (("cat", "dog"), 1),
    }


def test_csv_with_a_template(tmp_path: Path) -> None:
    """A column template says what the class names stand in; without it, it is the usual sentence."""
    fill(tmp_path, "1.png", "2.png")
    file = tmp_path / "labels.csv"
    file.write_text('path,label,template\n1.png,dog,"a {}, drawn"\n2.png,cat,"a {}, drawn"\n')
    assert only(file).template == "a {}, drawn"
    file.write_text("path,label\n1.png,dog\n2.png,cat\n")
    assert only(file).template == "a photo of a {}."


def test_csv_with_classes_of_one_name(tmp_path: Path) -> None:
    """A column label_index tells them apart: two cranes among ImageNet's classes are the bird and the machine."""
    fill(tmp_path, "1.png", "2.png", "3.png")
    file = tmp_path / "labels.csv"
    file.write_text("path,label,label_index\n1.png,crane,517\n2.png,crane,134\n3.png,cardigan,264\n")
    data = only(file)
    assert (data.classes, data.indices) == (("cardigan", "crane", "crane"), (264, 134, 517))
    assert [item.label for item in judged_among(data, names_of("imagenet")).items] == [517, 134, 264]
    file.write_text("path,label\n1.png,crane\n2.png,crane\n3.png,cardigan\n")
    assert [item.label for item in judged_among(only(file), names_of("imagenet")).items] == [134, 134, 474]


def test_csv_with_spaces_around_names(tmp_path: Path) -> None:
    """Spaces around a path are a spreadsheet's, unless a file is called so."""
    fill(tmp_path, "1.png", "2.png ")
    file = tmp_path / "labels.csv"
    file.write_text("path,label\n 1.png ,dog\n2.png ,cat\n")
    assert [Path(item.path).name for item in only(file).items] == ["1.png", "2.png "]


@posix
def test_csv_with_bytes_that_are_no_letters(tmp_path: Path) -> None:
    """They are taken in the name of a file that is there, and are otherwise another encoding, which is said."""
    file = tmp_path / "labels.csv"
    file.write_bytes(b"path,label\n1.png,a\ncaf\xe9.png,a\n")
    fill(tmp_path, "1.png")
    with pytest.raises(BadRequest, match="UTF-8"):
        only(file)
    fill(tmp_path, os.fsdecode(b"caf\xe9.png"))
    assert [os.fsencode(item.path)[-8:] for item in only(file).items][1] == b"caf\xe9.png"
    (tmp_path / "split.json").write_bytes(b'{"train": [], "val": [], "test": [["caf\xe9.png", 0, "a"]]}')
    with pytest.raises(BadRequest, match="UTF-8"):
        load_splits(tmp_path / "split.json")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"path,label,template\n1.png,a,\n", "Row 2 .* has no template"),
        (b"path,label,template\n1.png,a,cat\n", "Row 2 .* template without one"),
        (b"path,label,template\n1.png,a,a {}\n1.png,a,b {}\n", "Row 3 .* another template"),
        (b"", "path and label"),
        (b"file,class\n1.png,a\n", "path and label"),
        (b"path,label\n", "lists no pictures"),
        (b"path,label\n1.png\n", "Row 2 .* has no label"),
        (b"path,label\n,a\n", "Row 2 .* has no path"),
        (b'path,label\n1.png,"a\n', "not a sound CSV"),
        (b"path,label\n1.png,caf\xe9\n", "UTF-8"),
        (b"path,label\ngone.png,a\n", "not where they should be"),
        (b"path,label\n1\x00.png,a\n", "not where they should be|not a sound CSV"),
        (b"path,label,class_name\n1.png,a,cat\n", "'a' .* is not a number"),
        (b"path,label,class_name\n1.png,0,cat\n1.png,0,dog\n", "both 'cat' and 'dog'"),
        (b"path,label,class_name\n1.png,1,cat\n", "no pictures of class 0"),
        (b"path,label,split\n1.png,a,holdout\n", "'holdout'"),
        (b"path,label,label_index\n1.png,a,x\n", "Row 2 .* label_index 'x'"),
        (b"path,label,label_index\n1.png,a,\n", "Row 2 .* has no label_index"),
        (b"path,label,class_name,label_index\n1.png,0,a,1\n1.png,0,a,2\n", "Row 3 .* another label_index"),
        (b"path,label\n1.png," + b"x" * 200_000, "not a sound CSV"),
    ],
)
def test_broken_csv(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Each way in which a CSV can be broken has its sentence and its hint."""
    fill(tmp_path, "1.png")
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(BadRequest, match=sentence) as caught:
        only(tmp_path / "labels.csv")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("path,label\na\\1.png,cat\nb\\2.png,dog\n", ["cat", "dog"]),
        ("path,label\na/1.png,cat\nb\\2.png,dog\n", ["cat", "dog"]),
        ("file_name,label\na/1.png,cat\nb/2.png,dog\n", ["cat", "dog"]),
        ("id,image_path,class\n7,a/1.png,cat\n8,b/2.png,dog\n", ["cat", "dog"]),
        ("filename\tcategory\na/1.png\tcat, lynx\nb/2.png\tdog\n", ["cat, lynx", "dog"]),
        ("file_name,class_name\na/1.png,cat\nb/2.png,dog\n", ["cat", "dog"]),
        ("image,label,label_name\na/1.png,0,dog\nb/2.png,1,cat\n", ["dog", "cat"]),
        ("image,label,label_name\na/1.png,dog,x\nb/2.png,cat,y\n", ["dog", "cat"]),
    ],
)
def test_lists_of_others_are_read(tmp_path: Path, content: str, expected: list[str]) -> None:
    """Backslashes of Windows, tabs, Hugging Face's file_name and other usual names of columns lead to the same pictures."""
    fill(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "list.csv").write_text(content)
    assert [name for _, name in seen(only(tmp_path / "list.csv"), tmp_path)] == expected
    assert [path for path, _ in seen(only(tmp_path / "list.csv"), tmp_path)] == ["a/1.png", "b/2.png"]


@posix
def test_a_backslash_that_is_part_of_a_name_stays(tmp_path: Path) -> None:
    """A file whose name holds a backslash is that file, though another lies where Windows would look."""
    fill(tmp_path, "a\\1.png", "a/1.png")
    (tmp_path / "list.csv").write_text("path,label\na\\1.png,cat\na/1.png,dog\n")
    assert [Path(item.path).parent for item in only(tmp_path / "list.csv").items] == [tmp_path, tmp_path / "a"]


def test_pictures_beside_hugging_faces_list(tmp_path: Path) -> None:
    """A folder of pictures with a metadata.csv is read by that list; class folders are read as folders, whatever lies beside them."""
    fill(tmp_path / "flat", "1.png", "2.png")
    fill(tmp_path / "deep", "cat/1.png", "dog/2.png")
    (tmp_path / "flat" / "metadata.csv").write_text("file_name,label\n1.png,cat\n2.png,dog\n")
    (tmp_path / "deep" / "metadata.csv").write_text("file_name,text\ncat/1.png,a cat\n")
    assert [labelled(str(tmp_path / name))[1] for name in ("flat", "deep")] == ["csv", "folder"]
    assert only(tmp_path / "flat").classes == only(tmp_path / "deep").classes == ("cat", "dog")


def test_a_picture_listed_twice_counts_once(tmp_path: Path) -> None:
    """The same picture with the same label is one picture of its split, also where its path is spelled in another way."""
    fill(tmp_path, "1.png", "2.png")
    (tmp_path / "list.csv").write_text("path,label\n1.png,cat\n2.png,dog\n./1.png,cat\n")
    assert seen(only(tmp_path / "list.csv"), tmp_path) == [("1.png", "cat"), ("2.png", "dog")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("path,label\n1.png,cat\n2.png,dog\n1.png,dog\n", "'1.png' twice, with the labels 'cat' and 'dog'"),
        ("path,label,split\n1.png,cat,train\n2.png,dog,train\n./1.png,dog,test\n", "twice, with the labels"),
        ("path,label,aim\n1.png,cat,1\n2.png,dog,0\n1.png,cat,0\n", "twice, with the targets 1 and 0"),
    ],
)
def test_a_picture_with_two_labels_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    """A picture with two labels or two targets would give rows and figures that disagree: the list is refused by its name."""
    fill(tmp_path, "1.png", "2.png")
    (tmp_path / "list.csv").write_text(content)
    targets = TargetColumn("aim") if "aim" in content else None
    with pytest.raises(BadRequest, match=sentence):
        load_splits(tmp_path / "list.csv", targets=targets)


@pytest.mark.parametrize("folder", ["images", "jpg", "2750", "SUN397", "101_ObjectCategories", "UCF-101-midframes", ""])
def test_split_file(tmp_path: Path, folder: str) -> None:
    """Labels are those of the file, in whatever order it lists them, and the picture folder beside it is found."""
    fill(tmp_path / folder, "d/1.jpg", "c/1.jpg", "c/2.jpg")
    split_file(tmp_path, train=[["d/1.jpg", 1, "dog"], ["c/1.jpg", 0, "cat"]], test=[["c/2.jpg", 0, "cat"]])
    for path in (tmp_path, tmp_path / "split_zhou_Toys.json"):
        sets = load_splits(path)
        assert sets["train"].classes == sets["test"].classes == ("cat", "dog")
        assert sets["train"].name == "Toys"
        assert seen(sets["train"], tmp_path / folder) == [("d/1.jpg", "dog"), ("c/1.jpg", "cat")]
        assert [item.label for item in sets["test"].items] == [0]
        assert not sets["val"].items


def test_split_file_with_its_pictures_elsewhere(tmp_path: Path) -> None:
    """Pictures that are in none of the folders known for them are a sentence."""
    fill(tmp_path / "far", "1.jpg")
    file = split_file(tmp_path, train=[["1.jpg", 0, "cat"]])
    with pytest.raises(BadRequest, match="not where they should be"):
        load_splits(file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "not sound JSON"),
        ("[" * 200_000, "nested too deeply"),
        ("[]", "does not hold what it should"),
        ('{"train": [], "val": []}', "three lists"),
        ('{"train": [], "val": [], "test": {}}', "three lists"),
        ('{"train": [], "val": [], "test": []}', "lists no pictures"),
        ('{"train": [], "val": [["1.png", 0]], "test": []}', "Entry 0 of the list val"),
        ('{"train": [["1.png", 0, "a"], ["1.png", -1, "a"]], "val": [], "test": []}', "Entry 1 of the list train"),
        ('{"train": [["1.png", true, "a"]], "val": [], "test": []}', "Entry 0"),
        ('{"train": [["1.png", "0", "a"]], "val": [], "test": []}', "Entry 0"),
        ('{"train": [["1.png", 0, null]], "val": [], "test": []}', "Entry 0"),
        ('{"train": [["1.png", 0, "a"]], "val": [["1.png", 0, "b"]], "test": []}', "both 'a' and 'b'"),
        (
            '{"train": [["1.png", 0, "a"], ["1.png", 1000000000000, "b"]], "val": [], "test": []}',
            "no pictures of class 1",
        ),
        ('{"train": [["1\\u0000.png", 0, "a"]], "val": [], "test": []}', "not where they should be"),
    ],
)
def test_broken_split_file(tmp_path: Path, content: str, sentence: str) -> None:
    """Each way in which a split file can be broken has its sentence and its hint."""
    fill(tmp_path, "1.png")
    (tmp_path / "split.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadRequest, match=sentence) as caught:
        only(tmp_path / "split.json")
    assert caught.value.hint


def test_nothing_to_load(tmp_path: Path) -> None:
    """A path that is not there, an empty folder, loose pictures and several split files each get their sentence."""
    fill(tmp_path / "loose", "1.png")
    fill(tmp_path / "two", "split_zhou_A.json", "split_zhou_B.json")
    (tmp_path / "empty").mkdir()
    for path, sentence in (
        ("gone", "no such file"), ("a\0b", "no such file"), ("empty", "no class folders"), ("loose", "no class folders"),
        ("two", "several split files"),
    ):  # fmt: skip
        with pytest.raises(CaptError, match=sentence):
            load_splits(f"{tmp_path}/{path}")


@posix
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """A pipe, whether it is the data set or lies in a class, stops nobody."""
    fill(tmp_path, "cat/1.png", "dog/1.png")
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "cat" / "pipe")
    assert only(tmp_path).counts() == (1, 1)
    with pytest.raises(BadRequest, match="neither a file nor a folder"):
        only(tmp_path / "pipe")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs permissions that bind")
def test_a_locked_folder_is_a_sentence(tmp_path: Path) -> None:
    """A class folder that may not be read stops the loading, as leaving it out would change the task in silence."""
    fill(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "dog").chmod(0)
    try:
        with pytest.raises(BadRequest, match="cannot be read"):
            only(tmp_path)
    finally:
        (tmp_path / "dog").chmod(0o700)


def test_nothing_is_written(tmp_path: Path) -> None:
    """Loading leaves the user's folder as it was, to the byte and to the name."""
    fill(tmp_path, "images/d/1.jpg")
    split_file(tmp_path, train=[["d/1.jpg", 0, "dog"]])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    load_splits(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
