"""Who goes first: short jobs before long ones, waiting or running; and what reads files or lists waits for no model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from capt_engine import records
from capt_engine.api import Engine
from capt_engine.jobs import worker_threads
from capt_engine.jobs.lengths import FEW_LABELLED, FEW_PICTURES, FEW_VIEWS, Length, length_of
from capt_engine.records import (
    AnalyzeRequest,
    EvaluateRequest,
    JobFinished,
    JobProgress,
    JobStarted,
    ListRunsRequest,
    PreviewRequest,
    ReportRequest,
    ScanRequest,
    SplitRequest,
    TuneRequest,
)
from tests.engine.data.drawn_pictures import class_folder
from tests.engine.jobs.light import ENDINGS, Witness, light_science

Work = Callable[[Callable[..., None]], Any]


@dataclass(frozen=True)
class LightAnalyze(AnalyzeRequest):
    """An analysis whose work is a function of the tick."""

    work: Work = lambda _: None

    def __call__(self, progress: Callable[..., None]) -> Any:
        """Do it."""
        return self.work(progress)


@dataclass(frozen=True)
class LightEvaluate(EvaluateRequest):
    """An evaluation whose work is a function of the tick."""

    work: Work = lambda _: None

    def __call__(self, progress: Callable[..., None]) -> Any:
        """Do it."""
        return self.work(progress)


def few(work: Work = lambda _: "few") -> LightAnalyze:
    """A short analysis."""
    return LightAnalyze(("a.png",), work=work)


def folder(work: Work = lambda _: "folder") -> LightAnalyze:
    """A long one."""
    return LightAnalyze(("holiday",), work=work)


def hours(work: Work = lambda _: "hours") -> LightEvaluate:
    """One that may last a night."""
    return LightEvaluate("set", work=work)


def moment(_: Callable[..., None]) -> str:
    """What is done in a moment: a request of no kind that is known to last."""
    return "moment"


PICTURES = tuple(f"{at}.png" for at in range(100))


@pytest.mark.parametrize(
    ("request_", "length"),
    [
        (AnalyzeRequest(PICTURES[:FEW_PICTURES]), Length.SHORT),
        (AnalyzeRequest(PICTURES[: FEW_PICTURES + 1]), Length.LONG),
        (AnalyzeRequest(("holiday",)), Length.LONG),
        (PreviewRequest(PICTURES[:FEW_VIEWS]), Length.SHORT),
        (PreviewRequest(("holiday", "a.png")), Length.LONG),
        (EvaluateRequest("set", limit=FEW_LABELLED), Length.LONG),
        (EvaluateRequest("set", limit=FEW_LABELLED + 1), Length.HOURS),
        (EvaluateRequest("set"), Length.HOURS),
        (TuneRequest("set", "out"), Length.HOURS),
        (records.CheckClassesRequest("demo", ("cat",), "a {}."), Length.MOMENT),
    ],
)
def test_a_request_tells_how_long_its_job_lasts(request_: records.Request, length: Length) -> None:
    """A few files by their names, a folder, a limit: the disk is not looked at."""
    assert length_of(request_) is length


def test_of_those_that_wait_the_shortest_goes_first(engine: Engine, heard: Witness) -> None:
    """Whatever the order in which they were asked for; among equals, the first comes first."""
    begun, release = threading.Event(), threading.Event()

    def hold(_: Callable[..., None]) -> None:
        begun.set()
        release.wait(10)

    held = engine.submit(hold)
    assert begun.wait(10)
    asked = [engine.submit(one) for one in (hours(), folder(), few(), moment, few(), folder(), hours(), moment)]
    release.set()
    heard.wait_for(JobFinished, of=asked[6])
    order = [event.job for event in heard.events if isinstance(event, JobStarted)]
    assert order == [held, *(asked[at] for at in (3, 7, 2, 4, 1, 5, 0, 6))]


@pytest.mark.parametrize("outer", [folder, hours])
def test_a_long_job_lets_shorter_ones_through_and_no_other(
    engine: Engine, heard: Witness, outer: Callable[[Work], Any]
) -> None:
    """They run inside it at its tick, in turn let through what is shorter still, and it goes on to its whole end."""
    release = threading.Event()

    def turning(progress: Callable[..., None]) -> str:
        while not release.wait(0.001):
            progress(1, 2, "turning")
        return "whole"

    def brief(progress: Callable[..., None]) -> str:
        innermost.append(engine.submit(moment))
        progress(0, 1, "")
        return "brief"

    innermost: list[Any] = []
    job = engine.submit(outer(turning))
    heard.wait_for(JobProgress, of=job)
    equal = engine.submit(outer(lambda _: "after"))
    inner = engine.submit(few(brief))
    heard.wait_for(JobFinished, of=inner)
    assert heard.of(equal) == []
    release.set()
    heard.wait_for(JobFinished, of=equal)
    told = [event for event in heard.events if isinstance(event, (JobStarted, *ENDINGS))]
    assert told == [
        JobStarted(job),
        JobStarted(inner),
        JobStarted(innermost[0]),
        JobFinished(innermost[0], "moment"),
        JobFinished(inner, "brief"),
        JobFinished(job, "whole"),
        JobStarted(equal),
        JobFinished(equal, "after"),
    ]
    assert heard.threads == {"capt-engine"}


def test_files_and_lists_never_wait_for_the_one_that_computes(engine: Engine, heard: Witness, tmp_path: Path) -> None:
    """Views, a scan, its division, a report and the list of runs come while a job computes that never ticks."""
    release, begun = threading.Event(), threading.Event()

    def busy(_: Callable[..., None]) -> None:
        begun.set()
        release.wait(120)

    class_folder(tmp_path / "set" / "cat", 3, seed=0)
    class_folder(tmp_path / "set" / "dog", 3, seed=1)
    job = engine.submit(busy)
    assert begun.wait(10)
    for request in (
        PreviewRequest((str(tmp_path / "set"),)),
        ScanRequest((str(tmp_path / "set"),), keep=str(tmp_path / "kept")),
        SplitRequest(str(tmp_path / "kept" / "inventory.csv"), shots=1),
        ListRunsRequest(str(tmp_path)),
    ):
        assert isinstance(heard.wait_for(*ENDINGS, of=engine.submit(request), timeout_s=60), JobFinished)
    # No run is there to report on, and that too is said at once.
    heard.wait_for(*ENDINGS, of=engine.submit(ReportRequest((str(tmp_path),), "a.pdf", preview=True)), timeout_s=60)
    assert heard.of(job) == ["JobStarted"]
    release.set()


def test_a_list_comes_while_a_folder_is_looked_through(engine: Engine, heard: Witness, tmp_path: Path) -> None:
    """Views of a few pictures step in front of a scan, and lists have a worker that reads no picture."""
    class_folder(tmp_path / "set" / "cat", 40, seed=0)
    class_folder(tmp_path / "set" / "dog", 40, seed=1)
    first = str(tmp_path / "set" / "cat" / "0.png")
    inner: list[Any] = []
    heard.react = lambda event: (
        inner.append(engine.submit(PreviewRequest((first,)))) if isinstance(event, JobProgress) and not inner else None
    )
    scan = engine.submit(ScanRequest((str(tmp_path / "set"),)))
    heard.wait_for(JobFinished, of=scan)
    ended = [event.job for event in heard.events if isinstance(event, JobFinished)]
    assert ended == [inner[0], scan]


def test_what_only_a_model_knows_is_asked_of_its_worker(
    heard: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens of class names come at a tick of whatever computes, and nobody hears of that job."""
    release = threading.Event()

    def turning(progress: Callable[..., None]) -> None:
        while not release.wait(0.001):
            progress(1, 2, "turning")

    def counting(device: str, on_event: Any) -> Any:
        handle = light_science(device, on_event)

        def handled(job: Any, request: Any, on_event: Any, progress: Any) -> Any:
            if isinstance(request, records.CountTokensRequest):
                return records.TokensCounted(tuple(99 for _ in request.sentences), 7)
            return handle(job, request, on_event, progress)

        return handled

    monkeypatch.setattr(worker_threads, "science", counting)
    engine = Engine(heard, device="cpu")
    class_folder(tmp_path / "cat", 2, seed=0)
    class_folder(tmp_path / "dog", 2, seed=1)
    job = engine.submit(hours(turning))
    scan = engine.submit(ScanRequest((str(tmp_path),), model="demo"))
    result = heard.wait_for(JobFinished, of=scan).result
    assert (result.token_limit, [one.name for one in result.long_names]) == (7, ["cat", "dog"])
    release.set()
    heard.wait_for(JobFinished, of=job)
    assert {event.job for event in heard.events if hasattr(event, "job")} == {job, scan}
    assert engine.close()
