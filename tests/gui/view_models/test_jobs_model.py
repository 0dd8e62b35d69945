"""The list of all jobs: which are in it, in what words, what can be done with each, and what marks a page gets."""

from __future__ import annotations

import time

import pytest
from conftest import Bench
from evaluating import last, play
from fakes import READY, summary

from capt_engine import records as r
from capt_gui.view_models import jobs_model as jm
from capt_gui.view_models.job_text import sentence
from capt_gui.view_models.jobs_model import NO_MARK, JobEntry
from capt_gui.view_models.navigation import EXPLORE, MODELS, REPORT

WHY = r.Failure("BadRequest", "The server did not answer.", "Try again.")


def only(bench: Bench) -> JobEntry:
    """The one job of the list."""
    (one,) = bench.desk.jobs.entries
    return one


def analyse(bench: Bench, *paths: str) -> r.JobId:
    """An analysis that somebody asked for."""
    play(bench, READY)
    bench.desk.analysis.run(paths or ("/a/cat.png",))
    return last(bench)


def test_what_nobody_would_miss_is_not_listed(bench: Bench) -> None:
    """Lists of runs and models, counts of tokens and small views come and go unseen."""
    bench.desk.reports.runs.refresh()
    bench.desk.models.refresh()
    bench.desk.tuning.thumbnails.get("/a/cat.png")
    bench.desk.tuning.thumbnails.on_due()
    assert len(bench.engine.requests) == 3
    assert bench.desk.jobs.entries == ()
    assert bench.desk.jobs.text() == "Jobs"


def test_a_job_is_followed_from_its_place_in_the_queue_to_its_end(bench: Bench) -> None:
    """In plain words: waiting, how far and how long, done; the mark of its page says the same until somebody has looked."""
    job = analyse(bench)
    one, jobs = only(bench), bench.desk.jobs
    assert (one.title, one.page, one.state, one.text) == (
        "Analyse cat.png with PGD", EXPLORE, jm.WAITING, "Waiting for its turn",
    )  # fmt: skip
    assert jobs.text() == "1 job"
    play(bench, r.JobStarted(job), r.JobProgress(job, 3, 12, "step 3 of 12", 9.0))
    assert (one.state, one.share, one.text) == (jm.RUNNING, 0.25, "about 9 s left · Step 3 of 12")
    assert jobs.mark(EXPLORE) == ("running", 0.25, "Analyse cat.png with PGD: about 9 s left · Step 3 of 12")
    assert jobs.mark(REPORT) == NO_MARK
    play(bench, r.JobFinished(job, summary(r.AnalyzeRequest(("/a/cat.png",)))))
    assert (one.state, one.may_open, one.may_cancel, one.may_retry) == (jm.FINISHED, True, False, False)
    assert one.text.startswith("Done in")
    assert jobs.mark(EXPLORE) == ("finished", None, "Done: Analyse cat.png with PGD")
    jobs.set_front(EXPLORE)
    assert jobs.mark(EXPLORE) == NO_MARK
    jobs.clear()
    assert jobs.entries == ()


def test_a_job_that_lasts_says_how_long_it_takes_or_that_nobody_knows(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a known total the time is estimated from the start on; of an unknown one nothing is said at first, and the truth later."""
    job = analyse(bench)
    one = only(bench)
    play(bench, r.JobStarted(job), r.JobProgress(job, 0, 12, "reading", None))
    assert one.text == "time left: estimating… · Reading"
    play(bench, r.JobProgress(job, 0, 0, "loading demo", None))
    assert one.text == "Loading demo"
    bench.desk.jobs.on_second()
    assert one.text == "Loading demo"
    now_s = time.monotonic()
    monkeypatch.setattr("capt_gui.bridge.time.monotonic", lambda: now_s + 6)
    heard: list[int] = []
    bench.desk.jobs.progressed.connect(heard.append)
    bench.desk.jobs.on_second()
    bench.desk.jobs.on_second()
    assert one.text == "time left: cannot be told · Loading demo"
    assert heard == [job]
    play(bench, r.JobProgress(job, 6, 12, "step 6 of 12", 3.0))
    assert one.text == "about 3 s left · Step 6 of 12"


def test_what_ends_on_the_page_in_front_needs_no_mark(bench: Bench) -> None:
    """Whoever looks at it has seen it; what ends elsewhere is marked."""
    bench.desk.jobs.set_front(EXPLORE)
    play(bench, r.JobCancelled(analyse(bench)))
    bench.desk.models.download("vit-b-32-openai")
    play(bench, r.JobFailed(last(bench), WHY))
    assert bench.desk.jobs.mark(EXPLORE) == NO_MARK
    assert bench.desk.jobs.mark(MODELS) == ("failed", None, "Failed: Download vit-b-32-openai")
    assert bench.desk.jobs.text() == "1 job failed"


def test_cancel_asks_the_engine_once_and_says_so(bench: Bench) -> None:
    """Until the job has ended it is being stopped, whatever progress still comes."""
    job = analyse(bench)
    one, jobs = only(bench), bench.desk.jobs
    play(bench, r.JobStarted(job))
    jobs.cancel(job)
    jobs.cancel(job)
    assert bench.engine.cancelled == [job]
    play(bench, r.JobProgress(job, 1, 2, "step", None))
    assert (one.text, one.may_cancel) == ("Stopping…", False)
    play(bench, r.JobCancelled(job))
    assert (one.state, one.text, one.may_retry) == (jm.CANCELLED, "Cancelled", True)


def test_retry_asks_for_the_same_again_and_its_page_hears_of_it(bench: Bench) -> None:
    """The new job takes the place of the old one in the list, and its rows reach the gallery."""
    job = analyse(bench)
    play(bench, r.JobStarted(job), r.JobFailed(job, WHY))
    jobs = bench.desk.jobs
    assert only(bench).text == "The server did not answer. Try again."
    jobs.retry(job)
    again = last(bench)
    assert again != job
    assert bench.engine.requests[again - 1] == bench.engine.requests[job - 1]
    assert only(bench).number == again
    assert bench.desk.analysis.is_running
    jobs.retry(again)
    assert last(bench) == again


def test_open_brings_the_page_and_what_it_shows(bench: Bench) -> None:
    """The page comes to the front, and the first picture of the analysis is asked for there."""
    job = analyse(bench)
    asked: list[str] = []
    bench.desk.navigation.requested.connect(asked.append)
    bench.desk.analysis.show_wanted.connect(asked.append)
    bench.desk.gallery.add(("/a/cat.png",), ())
    play(bench, r.JobStarted(job), r.JobFinished(job, summary(r.AnalyzeRequest(("/a/cat.png",)))))
    bench.desk.jobs.open(job)
    assert asked == [EXPLORE, "/a/cat.png"]


def test_those_under_way_come_first_then_those_that_wait_then_the_last_that_ended(bench: Bench) -> None:
    """Whatever the order in which they were asked for."""
    first, second, third, fourth = (analyse(bench, f"/a/{at}.png") for at in range(4))
    play(bench, r.JobStarted(first), r.JobCancelled(first), r.JobStarted(second), r.JobFailed(second, WHY))
    play(bench, r.JobStarted(fourth))
    assert [one.number for one in bench.desk.jobs.entries] == [fourth, third, second, first]


def test_a_look_for_pictures_is_gone_once_it_is_done_and_stays_where_it_failed(bench: Bench) -> None:
    """What is only a step on the way is not kept in the list, but a failure is."""
    bench.desk.analysis.drop(["/a"], analyse=False)
    assert only(bench).title == "Look for pictures in a"
    play(bench, r.JobFinished(last(bench), r.PreviewResult(1, 0)))
    assert bench.desk.jobs.entries == ()
    bench.desk.analysis.drop(["/a"], analyse=False)
    play(bench, r.JobFailed(last(bench), WHY))
    assert only(bench).state == jm.FAILED


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (r.AnalyzeRequest(("/a/1.png", "/a/2.png"), None), "Analyse 2 pictures, clean only"),
        (r.EvaluateRequest("/data/pets", suite="standard", attacks=()), "Evaluate “pets” with Standard"),
        (r.EvaluateRequest("/data/pets", attacks=()), "Evaluate “pets”, clean only"),
        (r.EvaluateRequest("/data/pets"), "Evaluate “pets” with PGD"),
        (r.TuneRequest("/data/pets", "/out"), "Tune on “pets”"),
        (r.ScanRequest(("/data/pets",)), "Look through “pets”"),
        (r.ReportRequest(("/runs/1",), "/reports/pets.pdf"), "Write pets.pdf"),
        (r.ReportRequest(("/runs/1",), "preview.pdf", preview=True), "Draw the pages of the report"),
        (r.SaveTunedRequest("/p", "Pets", "", "", ""), "Save the tuned prompts “Pets”"),
        (r.VerifyRequest("model", "vit"), "Verify vit"),
        (r.RemoveRequest("model", "vit"), "Remove vit"),
        (r.SanityRequest("vit"), "Try vit on a few pictures"),
    ],
)
def test_each_kind_of_job_is_a_plain_sentence(request_: r.Request, text: str) -> None:
    """With the name that the user knows, and never that of a class of ours."""
    assert sentence(request_, lambda _: "PGD") == text
