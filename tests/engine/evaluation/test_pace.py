"""The time that is left of a run: from what its batches took, with the checks that follow, however large a batch is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from capt_engine.attacks.pgd import PGD
from capt_engine.checks.forecast import pieces
from capt_engine.evaluation import analysis, pace, timing
from capt_engine.evaluation.pace import Timed, line, pace_of
from capt_engine.evaluation.timing import StepWatch
from capt_engine.progress import WorkClock, no_progress
from capt_engine.records import Pace

DOUBLING = (1, 2, 4)


@pytest.mark.parametrize(("batch_s", "picture_s"), [(0.5, 0.0), (0.0, 0.5), (0.3, 0.02), (0.01, 3.0)])
def test_the_line_through_exact_times_is_found(batch_s: float, picture_s: float) -> None:
    """What a batch costs, and what each of its pictures does, from a few batches of different sizes."""
    timed = [Timed(n, batch_s + n * picture_s) for n in DOUBLING]
    assert line(timed) == (pytest.approx(batch_s, abs=1e-9), pytest.approx(picture_s, abs=1e-9))


def test_once_a_batch_is_as_large_as_any_to_come_the_line_is_taken_as_it_is() -> None:
    """Before that, what is foretold lies between the line and the pace of the largest batch."""
    timed = [Timed(1, 9.0), *(Timed(n, 3.0 + n) for n in (2, 4, 8))]
    whole, early = pace_of(timed, 8), pace_of(timed, 16)
    assert whole is not None
    assert (whole.batch_s, whole.picture_s) == (pytest.approx(3.0), pytest.approx(1.0))
    assert early is not None
    assert 3.0 + 16 < early.pictures_s(16) < 2 * 11.0


def test_checks_grow_with_the_pictures_up_to_their_most() -> None:
    """What they took on five pictures is eight fifths of it on eight, and no more on a thousand."""
    found = Pace(1.0, 0.5, 4, 10.0, checked=5, most_checked=8)
    assert found.seconds(5) == pytest.approx(2 + 2.5 + 10)
    assert found.seconds(1000) == pytest.approx(250 + 500 + 16)


def test_neither_part_is_ever_below_zero() -> None:
    """Times that scatter give a forecast that grows with the pictures, and none that begins below zero."""
    for seconds in ((1.0, 0.9, 0.8), (0.1, 0.9, 3.0), (1.0, 0.2, 1.0)):
        batch_s, picture_s = line([Timed(n, one) for n, one in zip(DOUBLING, seconds, strict=True)])
        assert min(batch_s, picture_s) >= 0
        assert batch_s + picture_s > 0


def test_the_first_batch_counts_only_while_it_is_alone() -> None:
    """It pays for what is loaded and warmed up."""
    assert pace_of([], 8) is None
    assert pace_of([Timed(1, 5.0)], 8) == Pace(1.25, 3.75, 8)
    assert pace_of([Timed(1, 5.0), Timed(2, 0.4)], 8) == Pace(pytest.approx(0.1), pytest.approx(0.15), 8)


# Seconds of batches as they were measured on two busy cores (benchmarks/time_estimates.py --log): of the first seven pictures;
# then how many pictures were left, how many a batch holds at most, and the seconds that the others took.
RECORDED: dict[str, tuple[tuple[tuple[int, float], ...], int, int, float]] = {
    "demo, explore, PGD": (((1, 1.248), (2, 2.832), (4, 4.000)), 41, 32, 33.792),
    "demo, explore, PGD, A | B": (((1, 1.821), (2, 5.440), (4, 9.946)), 41, 32, 67.639),
    "demo, PGD": (((1, 0.783), (2, 1.776), (4, 2.892)), 41, 32, 22.337),
    "demo, PGD and checks": (((1, 1.057), (2, 1.800), (4, 2.492)), 41, 32, 15.457),
    "demo, quick": (((1, 1.293), (2, 2.443), (4, 4.208)), 41, 32, 31.285),
    "demo, quick, skip broken": (((1, 1.516), (2, 2.436), (4, 4.275)), 41, 32, 28.393),
}


@pytest.mark.parametrize("name", RECORDED)
def test_after_five_pictures_a_recorded_run_is_foretold_within_half_as_much_again(name: str) -> None:
    """From the batches that hold the first pictures, the rest of runs that were timed once."""
    first, left, most, seconds = RECORDED[name]
    found = pace_of([Timed(*one) for one in first], most)
    assert found is not None
    assert 1 / 1.5 <= found.pictures_s(left) / seconds <= 1.5


def test_checks_are_foretold_by_their_steps() -> None:
    """None where they are off; more on more pictures, with more steps, and at the full level."""
    pgd = PGD(steps=10)
    assert pieces("off", pgd, 8, 1.0, 0.5) == ()
    assert pieces("cheap", pgd, 0, 1.0, 0.5) == ()

    def steps(level: str, attack: PGD, n: int) -> float:
        return sum(piece.n * piece.steps for piece in pieces(level, attack, n, 1.0, 0.5))

    assert steps("cheap", pgd, 4) < steps("cheap", pgd, 8) < steps("cheap", PGD(steps=100), 8)
    assert steps("full", pgd, 100) > 10 * steps("cheap", pgd, 8)
    assert max(piece.n for piece in pieces("full", pgd, 100, 1.0, 0.5)) == 25


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.s = 0.0

    def now_s(self) -> float:
        """What it says."""
        return self.s


def test_steps_tell_what_checks_take() -> None:
    """Seconds a step, by how many pictures it is taken on; what comes before and after the attack is none of its steps."""
    clock = Clock()
    watch = StepWatch(clock, 1, 11)  # type: ignore[arg-type]
    some = pieces("cheap", PGD(steps=10), 8, 1.0, 0.5)
    assert watch.seconds(some) == 0.0
    for n in DOUBLING:
        clock.s += 7.0
        watch.tick(n, 0)
        for done in range(1, 12):
            clock.s += 9.0 if done == 1 else 0.1 + 0.01 * n
            watch.tick(n, done)
        clock.s += 5.0
        watch.tick(n, 12)
    assert watch.seconds(some) == pytest.approx(sum(one.steps * (0.1 + 0.01 * one.n) for one in some))


def test_clean_answers_tell_what_checks_take_while_nothing_was_attacked() -> None:
    """Where no picture so far was worth an attack, a step counts as three of the passes that were timed, two at a time here."""
    clock = Clock()
    watch = StepWatch(clock, 1, 11, passes=2)  # type: ignore[arg-type]
    for n in DOUBLING:
        clock.s += 7.0
        watch.tick(n, 0)
        clock.s += 0.2 + 0.02 * n
        watch.tick(n, 12)
    some = pieces("cheap", PGD(steps=10), 8, 0.25, 0.0)
    assert watch.seconds(some) == pytest.approx(sum(one.steps * 3 * (0.1 + 0.01 * one.n) for one in some))


class Heard:
    """A progress that hears what is foreseen, on a clock of its own: each tick takes a second of work."""

    def __init__(self) -> None:
        self.left: list[tuple[float, float]] = []

    def __call__(self, done: int = 0, total: int = 0, note: str = "") -> None:
        """Once more."""

    def foresee(self, work_s: float, after_s: float = 0.0) -> None:
        """Take a forecast."""
        self.left.append((work_s, after_s))


def test_a_run_tells_what_is_left_after_each_batch(
    tiny_classifier: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures and the checks behind them, by batches of 1, 2, 4 and 3 that take 3 seconds and one for each picture; then none.

    However few pictures were met, the share of right ones that hold is taken to be neither none nor all.
    """
    from capt_engine.data.labelled_set import Item
    from capt_engine.evaluation.plan import Variant, plan_evaluation
    from capt_engine.records import EvaluateRequest, RunOptions
    from tests.engine.data.drawn_pictures import class_folder

    class_folder(tmp_path / "a", 12, seed=0)
    items = [Item(str(path), 0) for path in sorted((tmp_path / "a").iterdir())]
    request = EvaluateRequest(str(tmp_path), checks="cheap", options=RunOptions(classes=tiny_classifier.classes))
    plan = plan_evaluation(request, [Variant("none", tiny_classifier)], tiny_classifier.zero_shot, "given")
    rows: list[Any] = []
    analysis.evaluate(plan, items, rows.extend, no_progress)
    items = [Item(one.path, row.clean.winner) for one, row in zip(items, rows, strict=True)]
    now, begun = [0.0], [0.0]
    sizes: list[int] = []
    real = analysis.rows_of

    def ticked(progress: Any) -> Any:
        def tick(*told: Any) -> None:
            now[0] += 0.01
            progress(*told)

        return tick

    def rows_of(plan: Any, inputs: Sequence[Any], progress: Any, known: Any) -> Any:
        found = real(plan, inputs, ticked(progress), known)
        now[0] = begun[0] + 3.0 + len(inputs)
        sizes.append(len(inputs))
        begun[0] = now[0]
        return found

    monkeypatch.setattr(analysis, "rows_of", rows_of)
    shares: list[tuple[float, float]] = []

    def noted(level: str, attack: Any, n: int, right: float, held: float, **more: int) -> Any:
        shares.append((right, held))
        return pieces(level, attack, n, right, held, **more)

    monkeypatch.setattr(timing, "pieces", noted)
    monkeypatch.setattr(WorkClock, "now_s", lambda _: now[0])
    heard = Heard()
    result = analysis.evaluate(plan, items, lambda _: None, heard)
    after = [after_s for _, after_s in heard.left]
    assert [work_s for work_s, _ in heard.left] == [pytest.approx(one) for one in (34.0, 18.125, 8.375, 0.0)]
    # the last few go together
    assert sizes == [1, 2, 4, 5]
    assert all(one > 0 for one in after)
    assert all(0 < held < right == 1 for right, held in shares)
    assert shares[0][1] in (1 / 3, 2 / 3)
    assert result.pace is not None
    assert (result.pace.batch_s, result.pace.picture_s) == (pytest.approx(1.5), pytest.approx(1.3))


def test_a_forecast_names_the_module_that_makes_it() -> None:
    """The warm-up is one batch."""
    assert list(pace.warm([Timed(1, 1.0)])) == [Timed(1, 1.0)]
    assert list(pace.warm([Timed(1, 1.0), Timed(2, 2.0)])) == [Timed(2, 2.0)]
