"""The list of kept runs on the Report page: names, pins, search, the trash, and what they may take on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from acted_reports import CHANGES, changed, kept
from conftest import Bench
from fakes import READY, make_row
from finding import button, words
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    AnalyzeRequest,
    DeleteRunsRequest,
    EvaluateRequest,
    Failure,
    JobFailed,
    JobFinished,
    JobId,
    KeptRun,
    ListRunsRequest,
    PreviewRequest,
    RestoreRunsRequest,
    RowsReady,
    RunNotes,
    RunOptions,
    RunsListed,
)
from capt_gui.pages.report.notes_dialog import NotesDialog
from capt_gui.pages.report.page import ReportPage

GB = 1000**3
NONE = RunNotes()


def run(name: str, day: int, *, n_bytes: int = 1000, notes: RunNotes = NONE) -> KeptRun:
    """A kept run that ended on that day of November."""
    one = kept(f"/r/{name}", f"plain CLIP on {name}", 8, f"2026-11-{day:02d}T14:03:00+00:00")
    return replace(one, n_bytes=n_bytes, notes=notes)


class Disk:
    """Answers what is asked of the engine about kept runs, as the engine would."""

    def __init__(self, bench: Bench, *runs: KeptRun) -> None:
        self.bench = bench
        self.runs, self.trash = list(runs), list[KeptRun]()
        self.answered = 0

    def answer(self) -> None:
        """Answer all that was asked since the last time."""
        requests = self.bench.engine.requests
        for number in range(self.answered, len(requests)):
            if isinstance(requests[number], CHANGES):
                result = changed(self.runs, self.trash, requests[number])
                self.bench.engine.emit(JobFinished(JobId(number + 1), result))
        self.answered = len(requests)
        QCoreApplication.processEvents()


@pytest.fixture
def disk(bench: Bench) -> Disk:
    """Four runs, the newest first."""
    return Disk(bench, run("dogs", 22), run("cats", 21, notes=RunNotes("overnight")), run("cars", 20), run("cups", 19))


@pytest.fixture
def page(bench: Bench, disk: Disk, qtbot: QtBot) -> Iterator[ReportPage]:
    """The page, shown, with its runs."""
    page = ReportPage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    qtbot.waitExposed(page)
    bench.engine.emit(READY)
    QCoreApplication.processEvents()
    disk.answer()
    yield page
    page.leave()


def shown(page: ReportPage) -> list[str]:
    """The titles in the list, from the top."""
    rows = page.runs.list.model()
    return [str(rows.index(row, 0).data(Qt.ItemDataRole.DisplayRole)) for row in range(rows.rowCount())]


def test_the_search_finds_names_notes_and_titles(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """Every word has to stand somewhere; how many were found is said."""
    bench.desk.reports.runs.write_notes("/r/cups", RunNotes("", "with the new prompts"))
    disk.answer()
    for typed, found in (
        ("overnight", ["overnight"]),
        ("CATS", ["overnight"]),
        ("new prompts", ["plain CLIP on cups"]),
        ("plain cars", ["plain CLIP on cars"]),
        ("nowhere", []),
    ):
        page.runs.search.setText(typed)
        assert shown(page) == found
    assert "0 of 4 runs" in " ".join(words(page.runs))
    page.runs.search.clear()
    assert len(shown(page)) == 4


def test_a_run_gets_a_name_and_a_note(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """They are asked for in a dialog, shown in place of the title, and undone."""
    page.runs.ask = lambda _parent, one: RunNotes("mine", "why") if one.folder == "/r/dogs" else None
    page.runs.rename.trigger()
    disk.answer()
    assert shown(page)[0] == "mine"
    assert disk.runs[0].notes == RunNotes("mine", "why")
    bench.desk.reports.runs.undo.undo()
    disk.answer()
    assert shown(page)[0] == "plain CLIP on dogs"
    page.runs.ask = lambda *_: None
    page.runs.rename.trigger()
    assert disk.answered == len(bench.engine.requests)


def test_the_dialog_gives_back_what_was_written(qtbot: QtBot) -> None:
    """Without blanks at the ends; a pin stays."""
    dialog = NotesDialog(run("dogs", 1, notes=RunNotes("old", "note", pinned=True)))
    qtbot.addWidget(dialog)
    assert dialog.notes() == RunNotes("old", "note", pinned=True)
    dialog.name.setText(" new ")
    dialog.note.setPlainText("two\nlines\n")
    assert dialog.notes() == RunNotes("new", "two\nlines", pinned=True)


def test_pinned_runs_come_first_and_stay(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """Above newer ones, and Delete leaves them."""
    bench.desk.reports.choose(["/r/cars", "/r/cups"])
    page.runs.pin.trigger()
    disk.answer()
    assert shown(page)[:2] == ["plain CLIP on cars", "plain CLIP on cups"]
    assert not page.runs.delete.isEnabled()
    page.runs.on_delete()
    disk.answer()
    assert len(disk.runs) == 4
    bench.desk.reports.runs.undo.undo()
    disk.answer()
    assert shown(page)[0] == "plain CLIP on dogs"
    assert not any(one.notes.pinned for one in disk.runs)


def test_deleted_runs_come_back(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """Delete moves them to the trash, the banner says so, and its button, Ctrl+Z and the trash's menu put them back."""
    page.runs.list.selectAll()
    page.runs.list.setFocus()
    QTest.keyClick(page.runs.list, Qt.Key.Key_Delete)
    disk.answer()
    assert isinstance(bench.engine.requests[-1], DeleteRunsRequest)
    assert disk.runs == []
    assert "4 runs" in page.banner.accessibleName()
    button(page.banner, "Undo").click()
    disk.answer()
    assert len(shown(page)) == 4
    bench.desk.reports.runs.delete(["/r/dogs"])
    disk.answer()
    assert shown(page) == ["overnight", "plain CLIP on cars", "plain CLIP on cups"]
    assert page.runs.trash.text() == "1 deleted"
    page.runs.trash.fill()
    page.runs.trash.menu().actions()[0].trigger()
    assert bench.engine.requests[-1] == RestoreRunsRequest(("/r/dogs",))
    disk.answer()
    assert len(shown(page)) == 4
    assert not page.runs.trash.isVisible()


def test_the_trash_is_emptied_only_when_it_is_confirmed(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """A refusal changes nothing."""
    bench.desk.reports.runs.delete(["/r/dogs"])
    disk.answer()
    for agreed, left in ((False, 1), (True, 0)):
        page.runs.trash.confirm = lambda agreed=agreed: agreed
        page.runs.trash.fill()
        page.runs.trash.menu().actions()[-1].trigger()
        disk.answer()
        assert len(disk.trash) == left


def test_too_many_runs_are_asked_about_and_never_deleted(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """Beyond the budget there is a question, once; the oldest can be deleted, or more be allowed."""
    bench.settings.runs_budget_gb = 5
    disk.runs[:] = [replace(one, n_bytes=3 * GB) for one in disk.runs]
    disk.runs[-1] = replace(disk.runs[-1], notes=RunNotes(pinned=True))
    bench.desk.reports.runs.refresh()
    disk.answer()
    assert page.banner.accessibleName() == "Kept runs take 12 GB, more than the 5 GB set for them."
    assert len(disk.runs) == 4
    button(page.banner, "Delete the 3 oldest").click()
    disk.answer()
    assert [one.folder for one in disk.runs] == ["/r/cups"]
    bench.desk.reports.runs.undo.undo()
    disk.answer()
    assert len(disk.runs) == 4
    bench.settings.runs_budget_gb = 4
    bench.desk.reports.runs.refresh()
    disk.answer()
    button(page.banner, "Allow 16 GB").click()
    assert bench.settings.runs_budget_gb == 16
    assert "12 GB of 16 GB" in " ".join(words(page.runs))
    bench.settings.runs_budget_gb = 0
    assert bench.desk.reports.excess() == ""


def test_what_cannot_be_deleted_is_said(page: ReportPage, bench: Bench) -> None:
    """The engine's sentence stands in the page, and the list stays."""
    bench.desk.reports.runs.delete(["/r/dogs"])
    failure = Failure("BadRequest", "The run is going on.", "Cancel it first.")
    bench.engine.emit(JobFailed(JobId(len(bench.engine.requests)), failure))
    QCoreApplication.processEvents()
    assert page.banner.accessibleName() == "The run is going on."
    before = len(bench.engine.requests)
    bench.desk.reports.runs.undo.undo()
    assert len(bench.engine.requests) == before
    assert len(shown(page)) == 4


def test_what_left_the_trash_is_said(bench: Bench) -> None:
    """The sentence of the engine is passed on."""
    said: list[str] = []
    bench.desk.reports.runs.emptied.connect(said.append)
    bench.desk.reports.runs.refresh()
    assert isinstance(bench.engine.requests[-1], ListRunsRequest)
    bench.engine.emit(JobFinished(JobId(len(bench.engine.requests)), RunsListed((), emptied="The trash was emptied.")))
    QCoreApplication.processEvents()
    assert said == ["The trash was emptied."]


STOPPED = {"ended": "", "n": 336}


def test_a_stopped_evaluation_is_resumed_from_its_report(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """Its own request goes to the engine, in its own folder, and Evaluate comes to the front; twice at once it does not."""
    asked = EvaluateRequest("/d/dogs", options=RunOptions(model="demo", seed=7))
    disk.runs[0] = replace(disk.runs[0], **STOPPED, request=asked)
    bench.desk.reports.runs.refresh()
    disk.answer()
    wanted: list[str] = []
    bench.desk.navigation.requested.connect(wanted.append)
    bench.desk.reports.choose(["/r/cats"])
    assert not page.runs.resume.isEnabled()
    bench.desk.reports.choose(["/r/dogs"])
    page.runs.resume.trigger()
    resumed, listing = bench.engine.requests[-2:]
    assert resumed == replace(asked, options=replace(asked.options, keep="/r/dogs", resume=True))
    assert isinstance(listing, ListRunsRequest)
    assert wanted == ["evaluate"]
    assert bench.desk.evaluation.run.n_done == 336
    before = len(bench.engine.requests)
    page.runs.resume.trigger()
    assert len(bench.engine.requests) == before
    assert page.banner.accessibleName() == "An evaluation goes on."


def test_a_stopped_analysis_is_resumed_on_explore(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """Its pictures are shown, and those that it had not reached are analysed; results are drawn again without resuming."""
    asked = AnalyzeRequest(("/d/dogs",), options=RunOptions(model="demo"))
    disk.runs[0] = replace(disk.runs[0], **STOPPED, request=asked)
    bench.desk.reports.runs.refresh()
    disk.answer()
    wanted: list[str] = []
    bench.desk.navigation.requested.connect(wanted.append)
    bench.desk.reports.choose(["/r/dogs"])
    page.runs.resume.trigger()
    preview, analysis = bench.engine.requests[-2:]
    assert isinstance(preview, PreviewRequest)
    assert preview.paths == ("/d/dogs",)
    assert analysis == replace(asked, options=replace(asked.options, keep="/r/dogs", resume=True))
    assert wanted == ["explore"]
    bench.desk.gallery.add(["/d/dogs/a.png"])
    job = JobId(len(bench.engine.requests))
    bench.engine.emit(RowsReady(job, (make_row("/d/dogs/a.png"),)))
    QCoreApplication.processEvents()
    item = bench.desk.gallery.item("/d/dogs/a.png")
    assert item is not None
    assert item.request is not None
    assert not item.request.options.resume


def test_a_run_without_pages_offers_resume(page: ReportPage, disk: Disk, bench: Bench) -> None:
    """Where the first picture was not done there is nothing to report, and the way on stands in the pages' place."""
    asked = EvaluateRequest("/d/dogs", options=RunOptions(model="demo"))
    disk.runs[0] = replace(disk.runs[0], ended="", n=0, request=asked)
    bench.desk.reports.runs.refresh()
    disk.answer()
    bench.desk.reports.choose(["/r/dogs"])
    bench.desk.reports.on_timeout()
    failure = Failure("BadRequest", "The run was stopped before its first picture was done.", "Resume it.")
    bench.engine.emit(JobFailed(JobId(len(bench.engine.requests)), failure))
    QCoreApplication.processEvents()
    button(page.preview, "Resume").click()
    assert isinstance(bench.engine.requests[-2], EvaluateRequest)
