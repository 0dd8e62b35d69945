"""`check` and `capt protocol check-data`: of each published layout, each kind of thing that is missing is named, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capt_engine.cli.main import main
from capt_engine.data import benchmark_check, benchmarks
from capt_engine.data.benchmark_check import BenchmarkState, check
from capt_engine.data.benchmarks import BENCHMARKS, IMAGENET, NUMBERED, SKETCH, SPLIT_FILE, VARIANTS
from capt_engine.errors import UnknownName
from capt_engine.registry import Table
from tests.engine.data.drawn_pictures import class_folder
from tests.engine.data.tiny_benchmarks import build, put, remove, tiny_sizes


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the published counts be those of the tiny trees; everything else stays as it is."""
    table = Table(
        "benchmark",
        *(replace(one, classes=tiny_sizes(one.name)[0], sizes=tiny_sizes(one.name)[1]) for one in BENCHMARKS),
    )
    for module in (benchmarks, benchmark_check):
        monkeypatch.setattr(module, "BENCHMARKS", table)


@pytest.fixture(params=BENCHMARKS.names())
def name(request: pytest.FixtureRequest) -> str:
    """Each of the fifteen."""
    return str(request.param)


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """All that lies in a folder, with size and time of change."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in root.rglob("*")}


def a_picture(root: Path, name: str) -> Path:
    """A picture of the test split."""
    return Path(benchmarks.load(name, root, "test").items[0].path)


def test_whole_sets_are_complete(name: str, tmp_path: Path) -> None:
    """Found with the published counts, nothing to fetch; and the folder is as it was."""
    build(name, tmp_path)
    before = listing(tmp_path)
    state = check(name, tmp_path)
    assert state.state == "complete"
    assert (state.missing, state.problems, state.fetch, state.alike) == ((), (), (), ())
    wanted = [size for size in tiny_sizes(name)[1] if size]
    assert [one.listed for one in state.splits] == [one.usable for one in state.splits] == wanted
    assert state.classes == tiny_sizes(name)[0]
    assert listing(tmp_path) == before


def test_each_missing_part_is_named(name: str, tmp_path: Path) -> None:
    """A list, a picture or a class folder that is taken away stands in the answer by name, with a source to fetch it from."""
    benchmark = BENCHMARKS[name]
    for number in range(len(build(name, tmp_path / "whole"))):
        root = tmp_path / str(number)
        gone = build(name, root)[number]
        remove(gone)
        state = check(name, root)
        assert state.state == "incomplete"
        if gone.suffix in (".json", ".txt"):
            assert [part.path for part in state.missing] == [str(gone)]
            assert state.fetch == (state.missing[0].fetch,)
            assert ("CoOp" in state.fetch[0]) == (benchmark.layout != VARIANTS)
        elif gone.suffix:
            short = [one for one in state.splits if one.absent]
            assert [(one.absent, one.usable) for one in short] == [(1, short[0].published - 1)]
            assert str(gone).endswith(short[0].first[0])
            assert state.fetch == (f"{benchmark.source}.",)
        else:
            assert [one.class_folders for one in state.splits if one.class_folders] == [(gone.name,)]
            assert state.problems == ()
            assert state.fetch == (f"{benchmark.source}.",)


def test_a_folder_that_is_not_there(name: str, tmp_path: Path) -> None:
    """Absent: the folder, and all that has to be fetched for it, pictures and lists."""
    benchmark = BENCHMARKS[name]
    state = check(name, tmp_path)
    assert (state.state, state.splits, state.classes) == ("absent", (), 0)
    assert state.missing[0].path == state.folder == str(tmp_path / benchmark.places[0][0])
    (sentence,) = state.fetch
    assert benchmark.source in sentence
    assert benchmark.split_file in sentence
    assert ("classnames.txt" in sentence) == (benchmark.layout not in (SPLIT_FILE, VARIANTS))


@pytest.mark.parametrize("name", [one.name for one in BENCHMARKS if one.places[0][1]])
def test_the_pictures_folder_is_not_there(name: str, tmp_path: Path) -> None:
    """The data set's folder without that of its pictures."""
    build(name, tmp_path)
    folder, pictures = benchmarks.folder_of(name, tmp_path)
    remove(Path(pictures))
    state = check(name, tmp_path)
    assert state.state == "incomplete"
    assert state.missing[0].path == pictures
    assert state.missing[0].path.startswith(folder)


def test_pictures_without_bytes_or_pixels(name: str, tmp_path: Path) -> None:
    """An empty file is found by its size, one that is no picture only where pictures are decoded."""
    build(name, tmp_path)
    first = a_picture(tmp_path, name)
    sound = next(class_folder(tmp_path / "drawn", 1).iterdir()).read_bytes()
    for item in (one for split in ("train", "val", "test") for one in _items(name, tmp_path, split)):
        Path(item).write_bytes(sound)
    assert check(name, tmp_path, deep=True).state == "complete"
    first.write_bytes(b"no picture")
    assert check(name, tmp_path).state == "complete"
    deep = check(name, tmp_path, deep=True)
    assert deep.state == "incomplete"
    assert [one.unreadable for one in deep.splits if one.split == "test"] == [1]
    first.write_bytes(b"")
    state = check(name, tmp_path)
    assert state.state == "incomplete"
    assert [(one.empty, one.unreadable, one.first) for one in state.splits if one.split == "test"] == [
        (1, None, (str(first.relative_to(benchmarks.folder_of(name, tmp_path)[1])),))
    ]


def _items(name: str, root: Path, split: str) -> list[str]:
    index = ("train", "val", "test").index(split)
    if not tiny_sizes(name)[1][index]:
        return []
    return [item.path for item in benchmarks.load(name, root, split).items]


def test_another_split_is_different(tmp_path: Path) -> None:
    """A list that names fewer pictures than were published, all of them there: another list, not a missing picture."""
    build("dtd", tmp_path)
    file = tmp_path / "dtd" / BENCHMARKS["dtd"].split_file
    lists = json.loads(file.read_text(encoding="utf-8"))
    lists["test"] = lists["test"][:2]
    file.write_text(json.dumps(lists), encoding="utf-8")
    state = check("dtd", tmp_path)
    assert (state.state, state.fetch) == ("different", ())
    assert [(one.usable, one.published) for one in state.splits] == [(3, 3), (2, 2), (2, 3)]


@pytest.mark.parametrize("layout", [IMAGENET, NUMBERED, SKETCH])
def test_too_few_pictures_in_a_class_folder(layout: str, tmp_path: Path) -> None:
    """Where no list names the pictures, too few of them are missing ones; too many are another data set."""
    name = next(one.name for one in BENCHMARKS if one.layout == layout)
    build(name, tmp_path)
    picture = a_picture(tmp_path, name)
    put(picture.with_name("2.JPEG"))
    assert check(name, tmp_path).state == "different"
    remove(picture)
    remove(picture.with_name("2.JPEG"))
    state = check(name, tmp_path)
    assert (state.state, state.fetch) == ("incomplete", (f"{BENCHMARKS[name].source}.",))


def test_a_list_that_makes_no_sense(tmp_path: Path) -> None:
    """Its sentence stands in the answer, and the list is to be fetched again."""
    build("dtd", tmp_path)
    (tmp_path / "dtd" / BENCHMARKS["dtd"].split_file).write_text("{", encoding="utf-8")
    state = check("dtd", tmp_path)
    assert state.state == "incomplete"
    assert len(state.problems) == 1
    assert BENCHMARKS["dtd"].split_file in state.problems[0]
    assert "again" in state.fetch[0]


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("oxford_pets", "oxford-iiit-pet"),
        ("caltech101", "caltech101"),
        ("fgvc_aircraft", "fgvc-aircraft-2013b"),
    ],
)
def test_a_folder_of_another_name(name: str, theirs: str, tmp_path: Path) -> None:
    """Folders as other libraries name them are offered; what belongs to another data set is not."""
    (tmp_path / theirs).mkdir()
    build("food101", tmp_path)
    assert check(name, tmp_path).alike == (theirs,)


def test_unknown_names() -> None:
    """An unknown data set is answered with the nearest."""
    with pytest.raises(UnknownName, match="eurosat"):
        check("eurosta", "/")


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """A function of options: the command's exit code and what it printed."""

    def run(*options: str) -> tuple[int, str, str]:
        code = main(["protocol", "check-data", *options])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_command_in_words(said: Said, tmp_path: Path) -> None:
    """A line for each data set with its counts, what is missing beneath it, the sum at the end; 0 only where all are complete."""
    for name in ("dtd", "eurosat"):
        build(name, tmp_path)
    code, out, err = said("--data", str(tmp_path), "--datasets", "dtd,eurosat")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "dtd: complete, classes 3, train 3, val 2, test 3",
        "eurosat: complete, classes 3, train 3, val 2, test 3",
        f"2 of 2 data sets complete below {tmp_path}.",
    ]
    picture = a_picture(tmp_path, "dtd")
    remove(picture)
    code, out, _ = said("--data", str(tmp_path), "--datasets", "dtd,eurosat,sun397")
    assert code == 3
    lines = out.splitlines()
    assert lines[0] == "dtd: incomplete, classes 3, train 3, val 2, test 2 of 3"
    assert lines[1] == f"    test: 1 not on the disk, of 3 listed: {Path(picture.parent.name, picture.name)}"
    assert lines[2] == f"    fetch: {BENCHMARKS['dtd'].source}."
    assert lines[3].startswith("eurosat: complete")
    assert lines[4] == f"sun397: absent, there is no folder {tmp_path / 'sun397'}"
    assert lines[-1] == f"1 of 3 data sets complete below {tmp_path}."


def test_the_command_as_data(said: Said, tmp_path: Path) -> None:
    """With --json one object for each of the fifteen, with the same facts as `check`, and one summary."""
    build("imagenet_a", tmp_path)
    code, out, _ = said("--data", str(tmp_path), "--json", "--quiet")
    *rows, last = [json.loads(line) for line in out.splitlines()]
    assert (code, last["event"], last["n"], last["complete"]) == (3, "summary", 15, ["imagenet_a"])
    assert [row["name"] for row in rows] == list(BENCHMARKS.names())
    for row in rows:
        assert row.pop("event") == "dataset"
        assert row == _as_json(check(row["name"], tmp_path))


def _as_json(state: BenchmarkState) -> Any:
    from dataclasses import asdict

    return json.loads(json.dumps(asdict(state)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--datasets", "dtdd"), "Did you mean 'dtd'?"),
        (("--datasets", ","), "names nothing"),
        (("--shots", "16"), "--shots means nothing"),
        (("--batch", "4"), "--batch means nothing"),
        (("--out", "work"), "--out means nothing"),
        (("--data", "demo"), "is drawn"),
        (("--data", "nowhere"), "no folder"),
    ],
)
def test_wrong_usage(said: Said, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    """What makes no sense is 2, with a sentence, before anything is looked at."""
    where = () if "--data" in options else ("--data", str(tmp_path))
    code, out, err = said(*where, *options)
    assert (code, out) == (2, "")
    assert words in err


def test_tables_want_a_work_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """--out is for all but check-data, and --deep for that alone."""
    assert main(["protocol", "few-shot"]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["protocol", "few-shot", "--out", "work", "--deep"]) == 2
    assert "check-data" in capsys.readouterr().err
