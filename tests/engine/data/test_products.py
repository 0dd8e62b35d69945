"""What this program wrote is never taken for pictures of the user's, wherever it lies, and a sentence says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capt_engine.data.class_folders import from_class_folders
from capt_engine.data.folders import collect
from capt_engine.data.products import DEMO_MARK, left_out, product
from capt_engine.data.sources import find, labelled
from capt_engine.errors import BadRequest
from capt_engine.protocols.cache import WorkFolder
from capt_engine.records import TuneRequest
from capt_engine.reports import format_of
from capt_engine.reports.build import build
from capt_engine.runs.differences import differences
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest_records import Summary
from capt_engine.runs.run_folder import RunFolder
from capt_engine.tuning.pictures import draw
from tests.engine.reports import made_runs

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes of one picture, with a run beside them and another inside one of them."""
    top = tmp_path / "data"
    for name in ("mug/1.png", "star/2.png"):
        (top / name).parent.mkdir(parents=True)
        (top / name).write_bytes(PNG)
    for run in (top / "result", top / "mug" / "again"):
        made_runs.kept(run, 3)
        assert list(run.rglob("*.png"))
    return top


def test_a_run_is_recognised_from_its_first_moment(tmp_path: Path) -> None:
    """It has its two files before its first row; a folder that only has files of those names is the user's."""
    asked = made_runs.request(tmp_path / "run")
    RunFolder(tmp_path / "run", asked, {"format": 3, "request": {}}, resume=False).__exit__(None, None, None)
    assert product(tmp_path / "run")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "rows.csv").write_text("path,label\n")
    assert not product(mine)
    for text in ("{}", "[]", "no JSON", json.dumps({"name": "a web app"})):
        (mine / "manifest.json").write_text(text)
        assert not product(mine)


def test_runs_are_no_classes_and_their_pictures_in_none(data: Path) -> None:
    """Evaluation and tuning see the classes that were there before, and their notes name what was left out."""
    found, _ = labelled(str(data))
    assert found.classes == ("mug", "star")
    assert [Path(item.path).name for item in found.items] == ["1.png", "2.png"]
    assert sorted(found.notes) == [
        "Left out: the folder 'mug/again' is a run that CAPT Explorer kept, not a part of the data.",
        "Left out: the folder 'result' is a run that CAPT Explorer kept, not a part of the data.",
    ]
    assert draw(TuneRequest(data=str(data), out="x.safetensors", validate=False)).notes[:2] == found.notes


def test_a_scan_says_it_as_a_note_and_as_no_fault(data: Path) -> None:
    """In the wizard nothing is reported as unreadable."""
    whole = find([str(data)])
    apart = find([str(data / "mug"), str(data / "star")])
    assert (whole.skipped, apart.skipped) == ((), ())
    assert len(whole.notes) == 2
    assert len(apart.notes) == 1
    assert len(apart.splits["all"].items) == 2
    with pytest.raises(BadRequest, match="a run that CAPT Explorer kept"):
        find([str(data / "mug"), str(data / "result")])


def test_an_analysis_leaves_runs_out(data: Path) -> None:
    """A folder that holds runs gives the user's own pictures; a run that is named itself gives a sentence."""
    found = collect([data])
    assert [Path(file).name for file in found.files] == ["1.png", "2.png"]
    assert sorted(sentence[:35] for _, sentence in found.left_out) == [
        "Left out: the folder 'mug/again' is",
        "Left out: the folder 'result' is a ",
    ]
    named = collect([data / "result"])
    assert named.files == ()
    assert named.skipped == (
        (str(data / "result"), "This is a run that CAPT Explorer kept, not a folder of pictures."),
    )
    # Whoever wants its pictures names them.
    assert collect([data / "result" / "examples"]).files


def test_a_run_is_no_data_set(data: Path) -> None:
    """Naming the run's own folder says what it is, instead of taking its folders for classes."""
    with pytest.raises(BadRequest, match="a run that CAPT Explorer kept, not a data set"):
        labelled(str(data / "result"))


def test_a_run_called_as_a_split_changes_nothing(data: Path) -> None:
    """Its folders of pictures would make it one."""
    (data / "result").rename(data / "test")
    assert set(from_class_folders(str(data))) == {"all"}


def test_the_work_folder_of_a_protocol_is_no_data_set(data: Path) -> None:
    """It may lie among the data sets that it is about."""
    WorkFolder(data / "work")
    assert product(data / "work")
    assert any("'work' is the work folder of a protocol" in note for note in labelled(str(data))[0].notes)


def test_drawn_data_is_no_class_of_the_data_around_it(data: Path) -> None:
    """Its classes would be one class; as the parts of a data set it stays."""
    for name in ("train/mug/1.png", "test/mug/1.png"):
        place = data / "drawn" / name
        place.parent.mkdir(parents=True)
        place.write_bytes(PNG)
        (place.parents[1] / DEMO_MARK).write_text("{}")
    assert set(from_class_folders(str(data / "drawn"))) == {"train", "test"}
    (data / "drawn").rename(data / "whole")
    (data / "whole" / DEMO_MARK).write_text("{}")
    found, _ = labelled(str(data))
    assert found.classes == ("mug", "star")
    assert any("'whole' is a data set that `capt demo data` drew" in note for note in found.notes)


def test_results_beside_the_pictures_make_no_repeated_run_differ(tmp_path: Path) -> None:
    """The first run kept beside its pictures is met by the second one; another note is a difference as before."""
    run = FinishedRun.of(made_runs.kept(tmp_path / "run", 2))
    written = run.summary.as_written

    def told(*notes: str) -> list[str]:
        was = Summary.of({**written, "notes": [*written.get("notes", []), *notes]})
        return list(differences(run.manifest, was, None, run))

    assert told() == told(left_out("result", "a run")) == []
    assert len(told("LPIPS is not measured.")) == 1


@pytest.mark.parametrize("name", ["manifest.json", "summary.json", "report.pdf", "report.html", "report.json"])
def test_a_file_that_we_wrote_is_no_list_of_pictures(tmp_path: Path, name: str) -> None:
    """It is named as what it is, instead of as a damaged list; the rows of a run are a list, of the user's own pictures."""
    run = made_runs.kept(tmp_path / "run", 2)
    if name.startswith("report"):
        (run / name).write_bytes(format_of(Path(name)).write(build(run)))
        (run / name).rename(tmp_path / name)
    place = run / name if (run / name).is_file() else tmp_path / name
    with pytest.raises(BadRequest, match=r"CAPT Explorer( kept)?, not a data set"):
        labelled(str(place))
