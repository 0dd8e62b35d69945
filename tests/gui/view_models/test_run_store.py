"""Runs get folders of their own."""

from __future__ import annotations

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
from capt_gui.view_models.run_store import RunStore


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
