"""The scan that Tune and Evaluate share: what is asked of the engine, in what order it is told, and what is no longer heard."""

from __future__ import annotations

import acted_data
import pytest
from conftest import Bench
from fakes import picture
from PySide6.QtCore import QCoreApplication

from capt_engine import records as r
from capt_gui.view_models.scan_job import STRIP, ScanJob

FOUND = acted_data.found({"cat": 3, "dog": 3}, inventory="/keep/inventory.csv")
FAILURE = r.Failure("BadRequest", "No such folder.", "Look again.")
SMALL = r.Preview("/data/cat/1.png", 8, 6, picture())


@pytest.fixture
def job(bench: Bench) -> ScanJob:
    """A job on an engine that does what the test says."""
    return ScanJob(bench.desk.bridge, bench.desk.bridge)


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the job hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> r.JobId:
    """What was asked for last."""
    return r.JobId(len(bench.engine.requests))


def told_by(job: ScanJob) -> list[object]:
    """All that the job will tell, in order."""
    told: list[object] = []
    job.running_changed.connect(told.append)
    job.failed.connect(told.append)
    job.changed.connect(lambda: told.append("changed"))
    return told


def test_a_scan_is_asked_for_once_and_followed(bench: Bench, job: ScanJob) -> None:
    """The request names what was given; a second start while it runs asks for nothing; small views and progress are told."""
    words: list[tuple[int, int, str]] = []
    job.progress_changed.connect(lambda *args: words.append(args))
    job.start(("/data",), "/keep", "demo", "a {}.")
    job.start(("/other",), "/keep")
    asked = [request for request in bench.engine.requests if isinstance(request, r.ScanRequest)]
    assert asked == [r.ScanRequest(("/data",), model="demo", template="a {}.", keep="/keep", thumbnails=STRIP, size=96)]
    assert job.is_running
    play(bench, r.PreviewsReady(last(bench), (SMALL,)), r.JobProgress(last(bench), 3, 9, "reading pictures", 4.0))
    assert job.thumbnails.get(SMALL.path) is not None
    assert words == [(0, 0, "Waiting for the engine…"), (3, 9, "about 4 s left · Reading pictures")]


@pytest.mark.parametrize("answer", [FOUND, FAILURE, None])
def test_each_end_is_told_in_the_same_order(
    bench: Bench, job: ScanJob, answer: r.ScanResult | r.Failure | None
) -> None:
    """First why it failed, where it did; then that it no longer runs; then that something changed, with the result there."""
    told = told_by(job)
    job.start(("/data",), "/keep")
    asked = last(bench)
    job.cancel()
    assert bench.engine.cancelled == [asked]
    if isinstance(answer, r.ScanResult):
        play(bench, r.JobFinished(asked, answer))
    else:
        play(bench, r.JobCancelled(asked) if answer is None else r.JobFailed(asked, answer))
    assert told == [True, *([answer] if isinstance(answer, r.Failure) else []), False, "changed"]
    assert not job.is_running
    assert job.result == (answer if isinstance(answer, r.ScanResult) else None)


def test_pictures_are_listed_where_an_inventory_was_kept(bench: Bench, job: ScanJob) -> None:
    """All of the inventory is asked for, by its own parts where that is wanted; without one nothing is."""
    told = told_by(job)
    before = len(bench.engine.requests)
    job.on_scanned(acted_data.found({"cat": 3, "dog": 3}))
    job.list_pictures()
    assert len(bench.engine.requests) == before
    job.on_scanned(FOUND)
    job.list_pictures(own_parts=True)
    request = bench.engine.requests[-1]
    assert request == r.SplitRequest(FOUND.inventory, shots=None, val_share=0.0, test_share=0.0, own_parts=True)
    assert not job.is_running
    play(bench, r.JobFinished(last(bench), r.SplitResult((), (r.Assigned(SMALL.path, "cat", "test"),))))
    assert told == ["changed"]
    assert (job.pictures, job.class_of(SMALL.path)) == ({"cat": (SMALL.path,)}, "cat")


def test_what_was_forgotten_is_no_longer_heard(bench: Bench, job: ScanJob) -> None:
    """Scan and listing are stopped, the small views are gone, and what is said late is not told; another scan can begin."""
    job.on_scanned(FOUND)
    job.list_pictures()
    listing = last(bench)
    job.start(("/data",), "/keep")
    scan = last(bench)
    play(bench, r.PreviewsReady(scan, (SMALL,)))
    told = told_by(job)
    job.forget()
    assert bench.engine.cancelled == [scan, listing]
    assert (job.thumbnails.get(SMALL.path), job.result) == (None, None)
    play(bench, r.JobFinished(scan, FOUND), r.JobFinished(listing, r.SplitResult((), ())))
    assert told == [False]
    job.forget()
    assert told == [False]
    job.start(("/data",), "/keep")
    assert job.is_running
