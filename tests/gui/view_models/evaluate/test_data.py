"""Labelled pictures for an evaluation: what is asked of the engine, which part is used, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import acted_data
import pytest
from conftest import Bench
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.view_models.evaluate.data import EvaluateData


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the models hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> r.JobId:
    """The job asked for last."""
    return r.JobId(len(bench.engine.requests))


@pytest.fixture
def data(bench: Bench) -> EvaluateData:
    """The model, on an engine that does what the test says."""
    return bench.desk.evaluation.data


def scanned(bench: Bench, data: EvaluateData, result: r.ScanResult) -> None:
    """Take a folder, and let the engine find this."""
    data.take(["/data"])
    play(bench, r.JobFinished(last(bench), result))


def test_a_folder_is_looked_through_without_touching_it(bench: Bench, data: EvaluateData) -> None:
    """The scan is asked for with a scratch folder of ours; its progress and its end are told."""
    told: list[tuple[int, int, str]] = []
    running: list[bool] = []
    data.progress_changed.connect(lambda *args: told.append(args))
    data.running_changed.connect(running.append)
    data.take(["/data/toys"])
    request = bench.engine.requests[-1]
    assert isinstance(request, r.ScanRequest)
    assert request.data == ("/data/toys",)
    assert Path(request.keep).is_dir()
    assert not request.keep.startswith("/data")
    assert data.problem() == "The pictures are being looked through"
    play(bench, r.JobProgress(last(bench), 3, 9, "reading pictures", 4.0))
    assert told[-1] == (3, 9, "about 4 s left · Reading pictures")
    play(bench, r.JobFinished(last(bench), acted_data.found({"cat": 20, "dog": 18})))
    assert running == [True, False]
    assert data.names == ("cat", "dog")
    assert data.pictures_in_split == 38
    assert data.problem() == ""
    assert bench.settings.evaluate.recent == ["/data/toys"]
    data.on_closing()
    assert not Path(request.keep).exists()


def test_the_test_part_is_chosen_where_there_are_parts(bench: Bench, data: EvaluateData) -> None:
    """As the engine would; another part has other counts, and classes without pictures stay among the answers."""
    classes = (
        r.ClassCount("cat", 9, 9, (("train", 6), ("test", 3))),
        r.ClassCount("dog", 5, 5, (("train", 5),)),
    )
    found = acted_data.found({"cat": 9, "dog": 5}, splits=(("train", 11), ("test", 3)), inventory="/x/inventory.csv")
    scanned(bench, data, replace(found, classes=classes))
    assert data.split == "test"
    assert [own.usable for own in data.classes] == [3, 0]
    assert data.names == ("cat", "dog")
    listing = bench.engine.requests[-1]
    assert isinstance(listing, r.SplitRequest)
    assert listing.own_parts
    pictures = (r.Assigned("/1.png", "cat", "test"), r.Assigned("/2.png", "cat", "train"))
    play(bench, r.JobFinished(last(bench), r.SplitResult((), pictures)))
    assert data.pictures == {"cat": ("/1.png",)}
    data.set_split("train")
    assert data.pictures == {"cat": ("/2.png",)}
    assert data.pictures_in_split == 11
    assert data.usable("dog") == 5
    assert data.class_of("/1.png") == "cat"


@pytest.mark.parametrize(
    ("result", "blocked"),
    [
        (acted_data.found({"cat": 9}), "There is only one class."),
        (acted_data.found({"cat": 0, "dog": 0}), "There is no usable picture."),
        (acted_data.found({"cat": 40, "dog": 40}), ""),
    ],
)
def test_what_cannot_be_evaluated_is_said(bench: Bench, data: EvaluateData, result: r.ScanResult, blocked: str) -> None:
    """One class, or no picture at all, forbid a run, in a sentence."""
    scanned(bench, data, result)
    assert data.problem() == blocked


def test_doubts_about_the_labels_are_told(bench: Bench, data: EvaluateData) -> None:
    """The same picture under two labels, in two parts, unreadable ones, few ones, and names that are cut off."""
    twins = r.Duplicates((r.Member("/a.png", "cat", "test"), r.Member("/b.png", "dog", "test")))
    spread = r.Duplicates((r.Member("/c.png", "cat", "test"), r.Member("/d.png", "cat", "train")))
    found = acted_data.found(
        {"cat": 9, "dog": 9},
        same=(twins, spread),
        unreadable=(("cat", r.FailedPicture("/x.png", "It is empty.", "")),),
        long_names=(r.LongName("cat", 99),),
        splits=(("train", 9), ("test", 9)),
    )
    scanned(bench, data, found)
    data.set_split("train")
    said = [notice.message for notice in data.notices()]
    assert said == [
        "One picture is in several classes: “cat”, “dog”.",
        "One picture is in another part too.",
        "Names that are too long for the model: “cat”.",
        "18 pictures tell little.",
        "1 picture cannot be used.",
    ]
    assert data.unreadable[0].message == "It is empty."


def test_one_source_at_a_time(bench: Bench, data: EvaluateData, qtbot: QtBot) -> None:
    """Several folders at once are declined with what to do instead; nothing is asked of the engine."""
    before = len(bench.engine.requests)
    with qtbot.waitSignal(data.failed) as failed:
        data.take(["/a", "/b"])
    assert failed.args is not None
    assert failed.args[0].message == "One folder or table at a time."
    assert len(bench.engine.requests) == before


def test_a_scan_that_fails_or_is_cancelled_leaves_nothing(bench: Bench, data: EvaluateData, qtbot: QtBot) -> None:
    """The failure is told; a cancelled one says nothing; either way one can begin anew."""
    data.take(["/data"])
    with qtbot.waitSignal(data.failed) as failed:
        play(bench, r.JobFailed(last(bench), r.Failure("BadRequest", "No such folder.", "Look again.")))
    assert failed.args is not None
    assert failed.args[0].message == "No such folder."
    assert data.place == ""
    data.take(["/data"])
    job = last(bench)
    data.cancel()
    assert bench.engine.cancelled == [job]
    play(bench, r.JobCancelled(job))
    assert not data.is_running
    assert data.problem() == "Drop labelled pictures first"


def test_other_pictures_replace_a_scan_that_goes_on(bench: Bench, data: EvaluateData) -> None:
    """The first scan is stopped, and what it says later is not heard."""
    data.take(["/first"])
    first = last(bench)
    data.take(["/second"])
    assert first in bench.engine.cancelled
    play(bench, r.JobFinished(first, acted_data.found({"a": 9, "b": 9})))
    assert data.result is None
    assert data.title == "second"


def test_folders_and_tables_are_data_and_pictures_are_not(tmp_path: Path) -> None:
    """What is dropped on the page is taken only where labels can come with it."""
    assert EvaluateData.could_be_data(str(tmp_path))
    assert EvaluateData.could_be_data("/x/list.CSV")
    assert EvaluateData.could_be_data("/x/split_zhou_toys.json")
    assert not EvaluateData.could_be_data("/x/cat.png")
