"""The report in the making: what is asked of the engine, when, and what is made of its answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from acted_reports import SECTIONS, kept
from conftest import Bench
from fakes import picture
from PySide6.QtCore import QCoreApplication

from capt_engine.records import (
    Event,
    Failure,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    KeptRun,
    ListRunsRequest,
    PagesReady,
    ReportRequest,
    ReportResult,
    RunsListed,
)
from capt_gui.view_models.report import reports_model as states
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.view_models.runs_model import caption, file_name, when

RUNS = (
    KeptRun("/r/open", "", "demo, stopped", 3, False),
    kept("/r/new", "demo, plain text", 8, "2026-11-22T14:03:00+00:00"),
    kept("/r/old", "ViT-B/32, CAPT: 16 shots", 240, "2026-11-20T09:12:00+00:00", labelled=True),
)


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> JobId:
    """The job asked for last."""
    return JobId(len(bench.engine.requests))


@pytest.fixture
def reports(bench: Bench) -> ReportsModel:
    """The model with three runs; the waiting for a pause is left to the tests."""
    model = bench.desk.reports
    model.runs.refresh()
    play(bench, JobFinished(last(bench), RunsListed(RUNS)))
    return model


def drawn(bench: Bench, reports: ReportsModel) -> ReportRequest:
    """End the pause, and let the pages come."""
    reports.on_timeout()
    job, request = last(bench), bench.engine.requests[-1]
    assert isinstance(request, ReportRequest)
    play(
        bench,
        JobStarted(job),
        PagesReady(job, 0, 2, (picture(), picture())),
        JobFinished(job, ReportResult(request.out, 0, 2, SECTIONS)),
    )
    return request


def test_the_newest_finished_run_is_chosen(bench: Bench, reports: ReportsModel) -> None:
    """The list is asked for; an unfinished run is not what is shown first."""
    assert bench.engine.requests[0] == ListRunsRequest()
    assert reports.chosen == ("/r/new",)
    assert reports.state == states.PREPARING
    assert drawn(bench, reports) == ReportRequest(("/r/new",), "preview.pdf", preview=True, page_width=1240)
    assert (reports.state, reports.pages) == (states.SHOWN, 2)


def test_without_runs_there_is_nothing_to_do(bench: Bench) -> None:
    """Before the answer one is looked for, after it there is none; nothing can be saved."""
    reports = bench.desk.reports
    assert reports.state == states.LOOKING
    reports.runs.refresh()
    play(bench, JobFinished(last(bench), RunsListed(())))
    assert reports.state == states.NO_RUNS
    assert reports.problem()


def test_an_outdated_preview_is_stopped(bench: Bench, reports: ReportsModel) -> None:
    """A change stops what is being drawn; what still comes of it is not heard."""
    reports.on_timeout()
    old = last(bench)
    arrived: list[PagesReady] = []
    reports.preview.pages_arrived.connect(arrived.append)
    reports.choose(["/r/old"])
    assert bench.engine.cancelled == [old]
    play(bench, PagesReady(old, 0, 1, (picture(),)), JobFinished(old, ReportResult("", 0, 1, SECTIONS)))
    assert arrived == []
    assert reports.state == states.PREPARING
    assert drawn(bench, reports).runs == ("/r/old",)


def test_a_pause_comes_before_the_question(bench: Bench, reports: ReportsModel, qtbot: object) -> None:
    """Several changes in a row are one question."""
    del qtbot
    drawn(bench, reports)
    before = len(bench.engine.requests)
    reports.set_redact(True)
    reports.set_included("data", False)
    reports.set_included("models", False)
    assert len(bench.engine.requests) == before
    wanted = tuple(section.id for section in SECTIONS if section.id not in {"data", "models"})
    request = drawn(bench, reports)
    assert (request.sections, request.redact) == (wanted, True)


def test_a_change_taken_back_asks_nothing(bench: Bench, reports: ReportsModel) -> None:
    """The pages that are there are those that are wanted."""
    drawn(bench, reports)
    before = len(bench.engine.requests)
    reports.set_redact(True)
    reports.set_redact(False)
    reports.on_timeout()
    assert len(bench.engine.requests) == before
    assert reports.state == states.SHOWN


def test_left_out_sections_are_remembered(bench: Bench, reports: ReportsModel) -> None:
    """Their ids are known with the first pages; those are then drawn once more without them."""
    bench.settings.report_left_out = ["glossary", "something of another version"]
    assert drawn(bench, reports).sections == ()
    assert reports.state == states.PREPARING
    assert "glossary" not in drawn(bench, reports).sections
    assert reports.state == states.SHOWN
    reports.include_all()
    assert bench.settings.report_left_out == []
    assert drawn(bench, reports).sections == ()


def test_what_was_left_out_can_be_asked_for_again(bench: Bench, reports: ReportsModel) -> None:
    """Pages without a section do not know whether it is there; what was known of it before still holds."""
    drawn(bench, reports)
    reports.set_included("data", False)
    reports.on_timeout()
    without = tuple(replace(section, present=section.present and section.id != "data") for section in SECTIONS)
    play(bench, JobFinished(last(bench), ReportResult("", 0, 1, without)))
    assert reports.sections == SECTIONS
    assert reports.state == states.SHOWN


def test_two_pages_leave_the_sections_as_they_were(bench: Bench, reports: ReportsModel) -> None:
    """A short report asks for no section, is written short where there are pages, and all sections are known afterwards."""
    drawn(bench, reports)
    reports.set_included("data", False)
    reports.set_short(True)
    reports.on_timeout()
    asked = bench.engine.requests[-1]
    assert isinstance(asked, ReportRequest)
    assert (asked.short, asked.sections) == (True, ())
    two = tuple(replace(section, present=section.id == "summary") for section in SECTIONS)
    play(bench, JobFinished(last(bench), ReportResult("", 0, 2, two)))
    assert reports.sections == SECTIONS
    assert [reports.request(f"r.{kind}").short for kind in ("pdf", "html", "csv", "json")] == [True, True, False, False]
    reports.set_short(False)
    assert "data" not in reports.request("r.pdf").sections


def test_a_report_needs_a_section(bench: Bench, reports: ReportsModel) -> None:
    """With every section left out nothing is asked: no ids would stand for all of them."""
    drawn(bench, reports)
    for section in SECTIONS:
        reports.set_included(section.id, False)
    before = len(bench.engine.requests)
    reports.on_timeout()
    assert len(bench.engine.requests) == before
    assert reports.state == states.NO_SECTIONS
    assert reports.problem()
    reports.set_format("csv")
    assert not reports.problem()


@pytest.mark.parametrize(("name", "narrowed"), [("r.pdf", True), ("r.html", True), ("r.csv", False), ("r.json", False)])
def test_files_for_scripts_are_complete(bench: Bench, reports: ReportsModel, name: str, narrowed: bool) -> None:
    """Sections are left out of what is read, never of what a script reads; names of files are left out of all."""
    drawn(bench, reports)
    reports.set_included("data", False)
    reports.set_redact(True)
    reports.write(name)
    request = bench.engine.requests[-1]
    assert isinstance(request, ReportRequest)
    assert (request.out, request.preview, request.redact) == (name, False, True)
    assert bool(request.sections) == narrowed


def test_pages_that_cannot_be_drawn_say_why(bench: Bench, reports: ReportsModel) -> None:
    """The engine's sentence stays until something changes or it is tried again."""
    reports.on_timeout()
    play(bench, JobFailed(last(bench), Failure("BadRequest", "The run is not finished.", "Go on with it first.")))
    assert reports.state == states.FAILED
    assert reports.failure is not None
    reports.try_again()
    assert reports.state == states.PREPARING
    drawn(bench, reports)
    assert reports.state == states.SHOWN


def test_a_wanted_run_is_chosen_once_it_is_listed(bench: Bench, reports: ReportsModel) -> None:
    """The way from Explore: the list does not know the newest run yet."""
    reports.show_run("/r/newest")
    assert reports.chosen == ("/r/new",)
    play(bench, JobFinished(last(bench), RunsListed((kept("/r/newest", "demo", 8), *RUNS))))
    assert reports.chosen == ("/r/newest",)


def test_a_run_that_is_gone_is_no_longer_chosen(bench: Bench, reports: ReportsModel) -> None:
    """Of a comparison the rest stays; of nothing the newest comes in its place."""
    reports.choose(["/r/new", "/r/old"])
    reports.runs.refresh()
    play(bench, JobFinished(last(bench), RunsListed(RUNS[2:])))
    assert reports.chosen == ("/r/old",)
    reports.runs.refresh()
    play(bench, JobFinished(last(bench), RunsListed(RUNS[:2])))
    assert reports.chosen == ("/r/new",)


def test_a_list_that_cannot_be_read_says_so(bench: Bench) -> None:
    """The failure is told, and the window does not wait for ever."""
    runs = bench.desk.reports.runs
    told: list[Failure] = []
    runs.failed.connect(told.append)
    runs.refresh()
    play(bench, JobFailed(last(bench), Failure("BadRequest", "The folder cannot be read.")))
    assert [failure.message for failure in told] == ["The folder cannot be read."]
    assert bench.desk.reports.state == states.NO_RUNS


def test_a_job_tells_how_far_it_is(bench: Bench, reports: ReportsModel) -> None:
    """It waits for work before it, then says what it does; after the end it says nothing."""
    job = reports.writing
    reports.write("r.pdf")
    assert job.is_running
    assert job.is_waiting
    play(bench, JobStarted(last(bench)), JobProgress(last(bench), 1, 2, "Drawing charts", None))
    assert (job.is_waiting, job.progress.text) == (False, "time left: estimating… · Drawing charts")
    job.cancel()
    assert not job.is_running
    assert bench.engine.cancelled[-1] == last(bench)
    job.cancel()
    assert len(bench.engine.cancelled) == 1


def test_days_are_said_as_people_say_them() -> None:
    """Today, yesterday, a date, nothing while it goes on; what is no time is shown as it is."""
    now = datetime(2026, 11, 22, 20, 0).astimezone()
    zone = now.isoformat()[-6:]
    assert when(f"2026-11-22T14:03:00{zone}", now) == "today 14:03"
    assert when(f"2026-11-21T09:12:00{zone}", now) == "yesterday 09:12"
    # the month is named in the language of the system
    assert "2026" not in when(f"2026-03-04T09:12:00{zone}", now)
    assert when(f"2025-03-04T09:12:00{zone}", now).endswith(" 2025, 09:12")
    assert (when("", now), when("soon", now)) == ("unfinished", "soon")
    assert caption(RUNS[2]).endswith("240 pictures · labelled")
    assert caption(KeptRun("", "", "", 1, False)) == "unfinished · 1 picture · unlabelled"


def test_a_file_is_named_after_its_run() -> None:
    """The name can be a file's name on every system, whatever the title holds."""
    assert file_name(RUNS[2:], ".pdf") == "report-vit-b-32-capt-16-shots-2026-11-20.pdf"
    assert file_name(RUNS, ".html") == "report-comparison-of-3-runs-2026-11-22.html"
    assert file_name((kept("", '<a> / "b": * ?\\ |' + "x" * 200, 1, "2026-01-02"),), ".csv").count("x") < 60
