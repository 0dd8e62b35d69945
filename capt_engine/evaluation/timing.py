"""The timing of a run as it goes: its batches, the steps of its leading attack, and what follows the pictures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from capt_engine.checks.forecast import FORWARD, PICTURES, Piece, pieces
from capt_engine.evaluation.minimal import ROUNDS
from capt_engine.evaluation.pace import Timed, line, pace_of, warm
from capt_engine.evaluation.plan import Plan
from capt_engine.progress import WorkClock
from capt_engine.records import Pace, PictureRow


class StepWatch:
    """Times of an attack's steps, by how many pictures they were taken on at once.

    clock: of the run's work. begin, end: the units of work of a picture between which the attack's steps are. passes: the forward
    passes for the clean answers, which are behind the first unit: they tell what a step takes while nobody has taken one, as where
    no picture so far was worth attacking.
    """

    def __init__(self, clock: WorkClock, begin: int, end: int, passes: int = 1) -> None:
        self._clock, self._begin, self._end, self._passes = clock, begin, end, passes
        self._last = (-1, 0.0)
        self._steps: dict[int, tuple[float, int]] = {}
        self._answers: dict[int, tuple[float, int]] = {}

    def tick(self, n: int, done: int) -> None:
        """Note that `n` pictures at once have `done` units of work behind them; what follows at once is one step."""
        now_s = self._clock.now_s()
        last, last_s = self._last
        if done == last + 1 and self._begin <= last and done <= self._end:
            _add(self._steps, n, now_s - last_s)
        elif last == 0 < done:
            _add(self._answers, n, now_s - last_s)
        self._last = (done, now_s)

    def seconds(self, some: Sequence[Piece]) -> float:
        """Return the seconds that these pieces of work take; 0 where nothing was timed."""
        sums, share = (self._steps, 1.0) if self._steps else (self._answers, self._passes * FORWARD)
        timed = [Timed(n, seconds / count / share) for n, (seconds, count) in sums.items()]
        if not timed:
            return 0.0
        start_s, picture_s = line(warm(timed))
        return sum(piece.steps * (start_s + piece.n * picture_s) for piece in some)


class Timing:
    """The timing of one run. watch: of the steps of its leading attack."""

    def __init__(self, work: Plan, pictures: int, clock: WorkClock, most: int) -> None:
        """Nothing is timed yet. pictures: of the whole run, 0 where not known. most: pictures in a batch of the rest."""
        self._work, self._pictures, self._clock, self._most = work, pictures, clock, most
        self._batches: list[Timed] = []
        self._n = self._right = self._held = 0
        self._begun_s = clock.now_s()
        self.watch = StepWatch(clock, *_leading(work), _passes(work))

    def begin(self) -> None:
        """Begin a batch with the reading of its pictures."""
        self._begun_s = self._clock.now_s()

    def add(self, rows: Sequence[PictureRow], n: int) -> None:
        """Note the rows of `n` pictures that were computed since the batch began, or since the part of it before."""
        now_s = self._clock.now_s()
        self._batches.append(Timed(n, now_s - self._begun_s))
        self._begun_s = now_s
        own = [row for row in rows if row.prompt_id == self._work.variants[0].id]
        for _, some in itertools.groupby(own, key=lambda row: row.path):
            answers = list(some)
            is_right = answers[0].classes[answers[0].clean.winner] == answers[0].label
            self._n += 1
            self._right += is_right
            self._held += is_right and not any(row.success for row in answers)

    def pace(self) -> Pace | None:
        """Return the pace so far, with what follows the pictures; None before the first batch."""
        found = pace_of(self._batches, self._most, self._checks_s())
        return (
            None if found is None else replace(found, checked=self._n_checked, most_checked=PICTURES[self._work.checks])
        )

    def left_s(self, n: int) -> tuple[float, float]:
        """Return the seconds that `n` more pictures take, and those of what follows them; there must be a batch."""
        pace = self.pace()
        assert pace is not None
        return pace.pictures_s(n), pace.after_s

    @property
    def _n_checked(self) -> int:
        """The pictures that the checks will be made on."""
        return min(PICTURES[self._work.checks], self._pictures or self._n)

    def _checks_s(self) -> float:
        work, n = self._work, self._n_checked
        others = (work.baseline is not None or work.classifier is not work.frozen) + (work.source is not None)
        right = self._right / max(self._n, 1)
        # One that held and one that did not are counted beside those that were met: a few, perhaps of one class, are no sure sign.
        held = right * (self._held + 1) / (self._right + 2)
        some = pieces(work.checks, work.leading, n, right, held, others=others)
        return len(work.variants) * self.watch.seconds(some)


def _add(sums: dict[int, tuple[float, int]], n: int, seconds: float) -> None:
    before, count = sums.get(n, (0.0, 0))
    sums[n] = (before + seconds, count + 1)


def _passes(work: Plan) -> int:
    """The forward passes of a batch for its clean answers: of each model that answers or is attacked, and of the zero-shot one."""
    has_plain = work.is_table or any(one.classifier is work.frozen for one in work.variants)
    return len({one.id for one in (*work.variants, *work.sources)}) + (not has_plain)


def _leading(work: Plan) -> tuple[int, int]:
    """The units of work of a picture between which the first steps of the leading attack are."""
    done = 1 + (ROUNDS * work.searching.work * len(work.variants) if work.searching else 0)
    for planned in work.planned_attacks:
        if planned.attack is work.leading:
            return done, done + planned.attack.work
        done += planned.attack.work * (1 if work.is_table else len(work.sources))
    return 0, 0
