"""A long job that lets shorter ones through gives the same bits as one that nobody disturbs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capt_engine.jobs import run_recording, stoppable
from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    AttackSpec,
    CheckClassesRequest,
    CountedRow,
    EvaluateRequest,
    JobCancelled,
    JobFinished,
    JobProgress,
    PictureRow,
    RowsReady,
    RowsTakenUp,
    RunOptions,
    RunRequest,
    ThreatModel,
)
from tests.engine.data.drawn_pictures import class_folder
from tests.engine.jobs.desk import Desk

PGD = AttackSpec("pgd", (("steps", 3), ("restarts", 2)))
SQUARE = AttackSpec("square", (("queries", 6),))


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """One engine for both."""
    desk = Desk()
    yield desk
    assert desk.engine.close()


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of five pictures."""
    root = tmp_path_factory.mktemp("toys")
    for at, name in enumerate(("cat", "dog")):
        class_folder(root / name, 5, seed=at)
    return root


def without_time(result: AnalyzeResult) -> AnalyzeResult:
    """A result without what no two runs share."""
    attacks = tuple(replace(one, seconds=0.0) for one in result.attacks)
    return replace(result, attacks=attacks, wall_s=0.0, images_per_s=0.0, memory_bytes=0)


@pytest.mark.parametrize("kind", ["evaluation", "folder"])
def test_the_same_bits_with_and_without_an_interruption(
    desk: Desk, toys: Path, tiny_folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At three of its ticks an analysis with another attack, budget, class list and precision goes first, and a count of tokens."""
    # Every tick is told, so that those meant are met however fast the machine is.
    monkeypatch.setattr(stoppable, "REPORT_EVERY_S", 0.0)
    model = f"local-dir:{tiny_folder}"
    options = RunOptions(
        model=model, classes=("cat", "dog", "owl"), with_pictures=True, threat=ThreatModel(eps=4 / 255)
    )
    few = tuple(str(path) for path in sorted((toys / "cat").iterdir())[:2])
    inner = AnalyzeRequest(
        few,
        SQUARE,
        options=replace(
            options,
            classes=("a", "b"),
            seed=3,
            precision="bf16",
            threat=ThreatModel("l2", eps=1.0),
            with_pictures=False,
        ),
    )
    outer: RunRequest = (
        EvaluateRequest(str(toys), attacks=(PGD, SQUARE), checks="cheap", options=replace(options, classes=()))
        if kind == "evaluation"
        else AnalyzeRequest((str(toys),), PGD, options=options)
    )
    plain = desk.result(outer), desk.rows(outer)

    heard: list[Any] = []
    asked: list[Any] = []
    job: list[Any] = []

    def react(event: Any) -> None:
        heard.append(event)
        job[:] = job or [event.job]
        if isinstance(event, JobProgress) and event.job == job[0]:
            ticks = sum(isinstance(one, JobProgress) and one.job == job[0] for one in heard)
            if ticks in (1, 9, 30):
                asked.append(desk.engine.submit(inner))
                asked.append(desk.engine.submit(CheckClassesRequest(model, ("cat", "dog"), "a {}.")))

    desk.all_of(outer, react)
    ended = [event for event in heard if isinstance(event, JobFinished)]
    assert [event.job for event in ended][-1] == job[0]
    assert len(asked) == 6
    assert {event.job for event in ended[:-1]} == set(asked)
    rows = [row for event in heard if isinstance(event, RowsReady) and event.job == job[0] for row in event.rows]
    assert without_time(ended[-1].result) == without_time(plain[0])
    assert [replace(row, time_s=0.0) for row in rows if isinstance(row, PictureRow)] == [
        replace(row, time_s=0.0) for row in plain[1] if isinstance(row, PictureRow)
    ]


def test_a_resumed_run_says_which_rows_it_has_already(
    desk: Desk, toys: Path, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off and gone on with, it tells of every row once: those of its folder first, in parts, then those that it computes."""
    monkeypatch.setattr(run_recording, "AT_A_TIME", 2)
    options = RunOptions(
        model=f"local-dir:{tiny_folder}",
        classes=("cat", "dog", "owl"),
        threat=ThreatModel(eps=4 / 255),
        keep=str(tmp_path / "run"),
        batch_size=1,
    )
    asked = EvaluateRequest(str(toys), attacks=(PGD, AttackSpec("fgsm")), checks="cheap", options=options)

    def press(event: Any) -> None:
        if sum(isinstance(one, RowsReady) for one in desk.events) == 4:
            desk.engine.cancel(event.job)

    assert isinstance(desk.do(asked, press), JobCancelled)
    desk.result(replace(asked, options=replace(options, resume=True)))
    heard = [event for event in desk.events if isinstance(event, RowsTakenUp | RowsReady)]
    told = [event for event in heard if isinstance(event, RowsTakenUp)]
    assert heard[: len(told)] == told
    assert [event.begins for event in told] == [True] + [False] * (len(told) - 1)
    assert len(told) > 1
    assert {event.classes for event in told} == {options.classes}
    counted = [row if isinstance(row, CountedRow) else CountedRow.of(row) for event in heard for row in event.rows]
    whole = desk.rows(replace(asked, options=replace(options, keep=str(tmp_path / "another"))))
    assert counted == [CountedRow.of(row) for row in whole]
