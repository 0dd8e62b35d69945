"""Steps 1 and 2 without a widget: what is asked of the engine, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import acted_data
import pytest
from conftest import Bench
from fakes import ActingEngine, picture
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    Event,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    Preview,
    PreviewRequest,
    PreviewsReady,
    ScanRequest,
    SplitRequest,
)
from capt_gui.bridge import Bridge
from capt_gui.roles import ClassRole, PictureRole
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.class_table_model import COPIES, LISTED, NAME, UNREADABLE, USABLE, ClassTableModel
from capt_gui.view_models.data_warnings import Picked
from capt_gui.view_models.desk import Desk, TuneDesk, lay_out
from capt_gui.view_models.picture_list import PictureList, Tile
from capt_gui.view_models.tune import scan_file, split_rows
from capt_gui.view_models.tune.state import DONE, IDLE, RUNNING, SPLIT

PATIENCE_MS = 20_000
COUNTS = {"cat": 8, "dog": 7, "emu": 6}


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the models hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> JobId:
    """The job asked for last."""
    return JobId(len(bench.engine.requests))


@pytest.fixture
def tuning(bench: Bench) -> TuneDesk:
    """The wizard's models on an engine that does what the test says."""
    return bench.desk.tuning


@pytest.fixture
def acted(theme: Theme, tmp_path: Path) -> Iterator[Desk]:
    """The models on an engine that acts, with a home for projects."""
    bridge = Bridge(ActingEngine)
    yield lay_out(bridge, Settings(model="demo"), theme, projects_folder=tmp_path / "projects")
    bridge.close()
    bridge.deleteLater()


def scanned(desk: Desk, qtbot: QtBot, tmp_path: Path) -> TuneDesk:
    """The models after a scan of three classes."""
    data = acted_data.write_folders(tmp_path / "pictures", COUNTS)
    (data / "cat" / "broken.png").write_bytes(b"no picture")
    desk.tuning.scan.take([str(data)])
    qtbot.waitUntil(lambda: bool(desk.tuning.scan.pictures), timeout=PATIENCE_MS)
    return desk.tuning


def test_taking_pictures_scans_them_into_the_project(bench: Bench, tuning: TuneDesk) -> None:
    """The request names the project's folder and model; the place is remembered among the recent ones, once."""
    tuning.scan.take(["/p/mugs"])
    request = bench.engine.requests[-1]
    assert isinstance(request, ScanRequest)
    assert (request.data, request.keep, request.model) == (("/p/mugs",), str(tuning.project.folder), "demo")
    assert tuning.scan.problem() == "The pictures are being looked through."
    tuning.scan.take(["/p/a", "/p/b"])
    tuning.scan.take(["/p/mugs"])
    assert bench.settings.tune_recent == ["/p/mugs", "/p/a\n/p/b"]
    # the scans that were overtaken were told to stop
    assert bench.engine.cancelled == [JobId(1), JobId(2)]


def test_a_scan_that_was_cancelled_or_failed_leaves_the_ways_in_open(bench: Bench, tuning: TuneDesk) -> None:
    """Nothing is known then, and a failure is told."""
    told: list[object] = []
    tuning.scan.failed.connect(told.append)
    tuning.scan.take(["/p/mugs"])
    tuning.scan.cancel()
    play(bench, JobCancelled(last(bench)))
    assert not tuning.scan.is_running
    assert tuning.scan.result is None
    tuning.scan.scan()
    failure = Failure("BadRequest", "There is one folder only.", "Choose another.")
    play(bench, JobFailed(last(bench), failure))
    assert told == [failure]
    assert not tuning.scan.is_running


def test_answers_of_an_overtaken_scan_are_ignored(bench: Bench, tuning: TuneDesk) -> None:
    """What comes late belongs to other pictures."""
    tuning.scan.take(["/p/mugs"])
    late = last(bench)
    tuning.scan.take(["/p/cups"])
    play(bench, JobFinished(late, acted_data.found({"a": 3, "b": 3})))
    assert tuning.scan.result is None
    assert tuning.scan.is_running


def test_a_scan_lists_its_pictures_and_counts_what_is_left(acted: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    """Leaving out one picture leaves one usable picture less; the class comes and goes as a whole."""
    tuning = scanned(acted, qtbot, tmp_path)
    scan = tuning.scan
    assert {name: len(paths) for name, paths in scan.pictures.items()} == COUNTS
    assert scan.problem() == ""
    first = scan.pictures["cat"][0]
    scan.toggle(Picked(pictures=(first,)))
    assert (scan.usable("cat"), scan.left_out("cat"), scan.class_of(first)) == (7, 1, "cat")
    scan.toggle(Picked(classes=("dog", "emu")))
    assert scan.classes_in() == ("cat",)
    assert scan.problem() == "There is only one class."
    scan.include(Picked(pictures=(first,), classes=("dog",)))
    assert (scan.usable("cat"), scan.classes_in(), scan.problem()) == (8, ("cat", "dog"), "")
    scan.undo.undo()
    assert scan.classes_in() == ("cat",)
    scan.undo.undo()
    assert (scan.usable("cat"), scan.classes_in()) == (7, ("cat", "dog", "emu"))
    scan.undo.redo()
    assert scan.classes_in() == ("cat",)
    tuning.project.change(run=RUNNING)
    assert not scan.undo.canUndo()
    assert all((tmp_path / "pictures" / name).is_dir() for name in COUNTS)


def test_a_project_that_is_opened_again_needs_no_new_scan(acted: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    """What was found is on disk; when it can no longer be read, the pictures are looked through once more."""
    tuning = scanned(acted, qtbot, tmp_path)
    before, project = tuning.scan.result, tuning.project.id
    folder = tuning.project.folder
    tuning.project.start_new()
    assert tuning.scan.result is None
    tuning.project.open(project)
    assert not tuning.scan.is_running
    assert tuning.scan.result == before
    (folder / scan_file.FILE_NAME).write_text("{}", encoding="utf-8")
    tuning.project.start_new()
    tuning.project.open(project)
    assert tuning.scan.is_running
    qtbot.waitUntil(lambda: bool(tuning.scan.pictures), timeout=PATIENCE_MS)
    assert tuning.scan.result == before


def test_the_table_shows_what_is_left(acted: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    """Numbers as text and for sorting; zero is a dash; a class that is out says so."""
    tuning = scanned(acted, qtbot, tmp_path)
    table = ClassTableModel(tuning.scan)
    table.show(tuning.scan.result, frozenset({"dog"}))
    names = [table.index(row, NAME).data(ClassRole.NAME) for row in range(table.rowCount())]
    row = names.index("cat")
    shown = [table.index(row, column).data() for column in (NAME, LISTED, USABLE, UNREADABLE, COPIES)]
    assert shown == ["cat", "9", "8", "1", "–"]
    assert table.index(row, USABLE).data(ClassRole.SORT) == 8
    assert table.index(names.index("dog"), NAME).data(ClassRole.LEFT_OUT)


def test_a_split_follows_every_change(acted: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    """Shots, shares and what is left out are in the next answer; the totals are the sums of the rows."""
    tuning = scanned(acted, qtbot, tmp_path)
    split = tuning.split
    qtbot.waitUntil(lambda: split.is_current, timeout=PATIENCE_MS)
    tuning.project.change(shots=2, test_share=0.5)
    assert not split.is_current
    tuning.scan.toggle(Picked(classes=("emu",)))
    qtbot.waitUntil(lambda: split.is_current, timeout=PATIENCE_MS)
    total = split.totals()
    assert total is not None
    assert split.result is not None
    assert [own.name for own in split.result.classes] == ["cat", "dog"]
    assert (total.train, total.test) == (4, 8)
    assert sum(split_rows.parts(total)) == 15
    assert {own.use for own in split.pictures("cat")} == {"train", "unused", "val", "test"}
    assert split_rows.tiles(split.pictures("cat"))[0].caption == "Train"


def test_the_split_is_written_when_it_is_taken(acted: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    """`written` comes once the file is there; another one after tuning makes that result a thing of the past."""
    tuning = scanned(acted, qtbot, tmp_path)
    with qtbot.waitSignal(tuning.split.written, timeout=PATIENCE_MS):
        tuning.split.write()
    before = tuning.project.split_file.read_text(encoding="utf-8")
    tuning.project.change(run=DONE, saved="mugs")
    with qtbot.waitSignal(tuning.split.written, timeout=PATIENCE_MS):
        tuning.split.write()
    assert tuning.project.state.run == DONE
    tuning.project.change(shots=1)
    with qtbot.waitSignal(tuning.split.written, timeout=PATIENCE_MS):
        tuning.split.write()
    assert tuning.project.split_file.read_text(encoding="utf-8") != before
    assert (tuning.project.state.run, tuning.project.state.saved) == (IDLE, "")


def test_a_split_that_is_blocked_is_refused(acted: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    """The engine's sentence stands in the way."""
    tuning = scanned(acted, qtbot, tmp_path)
    tuning.scan.toggle(Picked(classes=("dog", "emu")))
    with qtbot.waitSignal(tuning.split.refused, timeout=PATIENCE_MS):
        tuning.split.write()
    assert tuning.split.problem() == "A split needs two classes."


def test_nothing_is_taken_while_tuning_goes_on(bench: Bench, tuning: TuneDesk) -> None:
    """The pictures under a running job stay what they are."""
    tuning.scan.take(["/p/mugs"])
    tuning.project.change(run=RUNNING)
    asked = len(bench.engine.requests)
    tuning.scan.take(["/p/cups"])
    assert len(bench.engine.requests) == asked
    assert tuning.project.state.data == ("/p/mugs",)


def test_parts_are_offered_only_where_the_data_has_some(bench: Bench, tuning: TuneDesk) -> None:
    """A request for the data's own parts needs parts."""
    tuning.project.change(own_parts=True)
    for splits, own in (((("train", 9), ("test", 0)), False), ((("train", 6), ("test", 3)), True)):
        tuning.scan.take(["/p/mugs"])
        tuning.project.change(own_parts=True)
        found = acted_data.found({"a": 5, "b": 4}, inventory="/p/inventory.csv", splits=splits)
        play(bench, JobFinished(last(bench), found))
        tuning.split.refresh()
        request = bench.engine.requests[-1]
        assert isinstance(request, SplitRequest)
        assert (tuning.split.has_parts, request.own_parts) == (own, own)


def test_a_whole_division_of_the_data_is_kept_unless_another_is_wanted(bench: Bench, tuning: TuneDesk) -> None:
    """Train, val and test together are taken as they are; a second scan leaves the user's choice alone."""
    splits = (("train", 5), ("val", 2), ("test", 2))
    found = acted_data.found({"a": 5, "b": 4}, inventory="/p/inventory.csv", splits=splits)
    tuning.scan.take(["/p/mugs"])
    play(bench, JobFinished(last(bench), found))
    assert tuning.project.state.own_parts
    tuning.project.go(SPLIT)
    tuning.project.change(own_parts=False)
    tuning.scan.scan()
    play(bench, JobFinished(last(bench), found))
    assert not tuning.project.state.own_parts


def test_small_views_are_asked_for_when_somebody_looks(bench: Bench, tuning: TuneDesk, qtbot: QtBot) -> None:
    """Only painted tiles ask; what has arrived is not asked for again, nor what is broken."""
    pictures = PictureList(tuning.thumbnails)
    pictures.show([Tile("/a.png"), Tile("/b.png"), Tile("/c.png", broken=True)])
    before = len(bench.engine.requests)
    for row in range(3):
        assert pictures.index(row).data(PictureRole.THUMBNAIL) is None
    qtbot.waitUntil(lambda: len(bench.engine.requests) > before, timeout=PATIENCE_MS)
    request = bench.engine.requests[-1]
    assert isinstance(request, PreviewRequest)
    assert set(request.paths) == {"/a.png", "/b.png"}
    play(bench, PreviewsReady(last(bench), (Preview("/a.png", 8, 6, picture()),)))
    assert pictures.index(0).data(PictureRole.THUMBNAIL) is not None
