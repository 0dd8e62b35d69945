"""Runs get folders of their own, and only folders that are certainly ours are ever removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY, make_row, summary
from PySide6.QtCore import QCoreApplication

from capt_engine import folders
from capt_engine.records import AnalyzeRequest, JobFinished, JobId, JobStarted, RowsReady
from capt_gui import application
from capt_gui.settings import Settings
from capt_gui.view_models.explore.analysis_model import AnalysisModel
from capt_gui.view_models.run_store import RunStore, remove_old


def make_run(folder: Path, name: str, manifest: str = '{"format": 1, "request": {}}') -> Path:
    """A run as the engine leaves it."""
    run = folder / name
    run.mkdir(parents=True)
    (run / "manifest.json").write_text(manifest, encoding="utf-8")
    (run / "rows.csv").write_text("path\n", encoding="utf-8")
    return run


def test_each_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Two runs of one second do not meet; nothing is made before the engine makes it."""
    store = RunStore(Settings(), tmp_path / "runs")
    names = {store.new_folder() for _ in range(20)}
    assert len(names) == 20
    assert all(Path(name).parent == tmp_path / "runs" for name in names)
    assert not (tmp_path / "runs").exists()


def test_nothing_is_kept_when_it_is_not_wanted(tmp_path: Path) -> None:
    """The setting, and a window without a memory, keep nothing."""
    assert RunStore(Settings(keep_runs=False), tmp_path).new_folder() == ""
    assert RunStore(Settings()).new_folder() == ""


def test_only_the_newest_runs_stay(tmp_path: Path) -> None:
    """The oldest go first, by the time in their names."""
    runs = [make_run(tmp_path, f"202611{day:02d}-120000-00ff") for day in range(1, 8)]
    assert remove_old(tmp_path, kept=5) == 2
    assert [run.exists() for run in runs] == [False, False, True, True, True, True, True]


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    """Other names, no manifest, a manifest of something else, links, and whatever lies elsewhere stay."""
    elsewhere = make_run(tmp_path / "elsewhere", "20261101-120000-0001")
    runs = tmp_path / "runs"
    kept = [
        make_run(runs, "figure-3-of-the-paper"),
        make_run(runs, "20261101-120000-0002", "[1, 2]"),
        make_run(runs, "20261101-120000-0003", "no json"),
        make_run(runs, "20261101-120000-0004", json.dumps({"format": 1, "name": "another program"})),
    ]
    (runs / "20261101-120000-0005").mkdir()
    link = runs / "20261101-120000-0006"
    try:
        link.symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert remove_old(runs, kept=0) == 0
    assert all(run.exists() for run in (*kept, elsewhere, link))
    assert (elsewhere / "rows.csv").exists()


def test_a_missing_folder_is_no_problem(tmp_path: Path) -> None:
    """Before the first run there is nothing to remove."""
    assert remove_old(tmp_path / "absent") == 0


def test_runs_are_kept_and_redraws_are_not(bench: Bench, tmp_path: Path) -> None:
    """Run names a folder; a picture drawn again names none; the choices count as those of the result all the same."""
    desk = bench.desk
    store = RunStore(bench.settings, tmp_path)
    analysis = AnalysisModel(desk.bridge, desk.gallery, desk.choices, store, desk.bridge)
    bench.engine.emit(READY)
    QCoreApplication.processEvents()
    desk.gallery.add(["a"])
    analysis.run(["a"])
    request = bench.engine.requests[-1]
    assert isinstance(request, AnalyzeRequest)
    assert Path(request.options.keep).parent == tmp_path
    assert desk.choices.made_with(request)
    job = JobId(len(bench.engine.requests))
    row = make_row("a", with_pictures=False)
    for event in (JobStarted(job), RowsReady(job, (row,)), JobFinished(job, summary(request))):
        bench.engine.emit(event)
    QCoreApplication.processEvents()
    assert store.last == request.options.keep
    item = desk.gallery.item("a")
    assert item is not None
    assert item.request is not None
    assert item.request.options.keep == ""
    analysis.redraw("a")
    redraw = bench.engine.requests[-1]
    assert isinstance(redraw, AnalyzeRequest)
    assert redraw.paths == ("a",)
    assert redraw.options.keep == ""


def test_a_run_that_was_not_kept_is_not_the_last(store: RunStore) -> None:
    """After a run without a folder there is nothing of it to report, and no older run stands in for it."""
    told: list[str] = []
    store.last_changed.connect(lambda: told.append(store.last))
    store.on_kept("/runs/1")
    store.on_kept("")
    assert told == ["/runs/1", ""]


def test_safe_mode_keeps_no_runs(tmp_path: Path) -> None:
    """A window that remembers nothing keeps nothing either; every other one keeps runs among the user's data."""
    safe = application.prepare(tmp_path, paths=(), reset=False, safe=True, theme=None)
    usual = application.prepare(tmp_path, paths=(), reset=False, safe=False, theme=None)
    assert (safe.runs, usual.runs) == (None, folders.data_dir() / "runs")


@pytest.fixture
def store(qapp: object) -> RunStore:
    """A store on its own."""
    del qapp
    return RunStore(Settings(), Path("/runs"))
