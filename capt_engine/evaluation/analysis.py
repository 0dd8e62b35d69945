"""Pictures × variants × attacks → rows, batch by batch; a picture that cannot be used never stops the others."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import torch

from capt_engine.attacks.corruptions.workers import side_by_side
from capt_engine.checks.from_rows import checked, rows_first
from capt_engine.data.folders import collect
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest, DeviceProblem
from capt_engine.evaluation.batch_limit import BatchLimit
from capt_engine.evaluation.checks import live_checks, some_of
from capt_engine.evaluation.course import Input
from capt_engine.evaluation.known import Known
from capt_engine.evaluation.names_check import names_check
from capt_engine.evaluation.picture_reader import Batch, Labelled, Stored, read
from capt_engine.evaluation.plan import Plan
from capt_engine.evaluation.rows import rows_of
from capt_engine.evaluation.timing import Timing
from capt_engine.metrics.features import text_drift
from capt_engine.metrics.tally import Tally, Trial
from capt_engine.model.devices import free_memory, is_out_of_memory
from capt_engine.model.memory import peak_bytes
from capt_engine.model.numerics import is_unrepeatable
from capt_engine.progress import Progress, WorkClock, foresee
from capt_engine.records import AnalyzeResult, FailedPicture, MinimalEps, PictureRow, TextDrift

_WORTH_PROCESSES = 1500

Emit = Callable[[Sequence[PictureRow | FailedPicture]], None]


def analyze(
    work: Plan,
    paths: Sequence[str],
    emit: Emit,
    progress: Progress,
    done: Iterable[str] = (),
    known: Known | None = None,
) -> AnalyzeResult:
    """Predict and attack the unlabelled pictures in the files and folders `paths`, and return the counts.

    work: the plan (models, attacks, budgets). emit: called with rows as they become ready; a picture that cannot be
    used comes as a FailedPicture. progress: called at each step; what it raises (Cancelled) ends the run. done: paths of
    pictures that are left out, because an interrupted run has finished them. known: the result store beside the plan,
    None for none. Raises BadRequest where there is no picture.
    """
    progress(0, 0, "looking for pictures")
    found = collect(paths)
    missing = [FailedPicture(path, sentence) for path, sentence in found.skipped]
    if not found.files and not missing:
        raise BadRequest("There is no picture in what was named.", "Name picture files, or a folder that holds some.")
    if missing:
        emit(missing)
    finished = frozenset(done)
    left = [path for path in found.files if path not in finished]
    result = _run(work, [(path, None, None) for path in left], len(missing), emit, progress, known)
    return replace(result, notes=(*(sentence for _, sentence in found.left_out), *result.notes))


def evaluate(
    work: Plan,
    items: Sequence[Item],
    emit: Emit,
    progress: Progress,
    probed: Sequence[Item] | None = None,
    known: Known | None = None,
) -> AnalyzeResult:
    """Predict and attack the labelled pictures `items`, check the evaluation, and return the counts.

    work: the plan (models, attacks, budgets, checks). emit: called with rows as they become ready; a picture that
    cannot be used comes as a FailedPicture. progress: called at each step; what it raises (Cancelled) ends the run.
    probed: pictures of which some are used for the checks; None: `items`. known: the result store beside the plan, None
    for none.
    """
    clock = WorkClock(progress)
    started_s = clock.now_s()
    result = _run(work, [(item.path, item.label, item.target) for item in items], 0, emit, clock, known)
    checked_s = clock.now_s()
    live = live_checks(work, some_of(work, items if probed is None else probed), clock, known)
    pace = None if result.pace is None else replace(result.pace, after_s=clock.now_s() - checked_s)
    # images_per_s stays that of the pictures: how long the checks take does not grow with them.
    return replace(result, checks=rows_first(result.checks, live), wall_s=clock.now_s() - started_s, pace=pace)


def _run(
    work: Plan, subjects: Sequence[Labelled], missing: int, emit: Emit, progress: Progress, known: Known | None
) -> AnalyzeResult:
    pace = RunProgress(progress, work.units, len(subjects))
    limit = BatchLimit(work)
    # Processes take seconds to start, which a few pictures are not worth.
    is_worth_it = work.is_table and len(subjects) * len(work.planned_attacks) >= _WORTH_PROCESSES
    corrupting = side_by_side(torch.get_num_threads() if is_worth_it else 1)
    with corrupting, closing(read(work, subjects, pace.reading, known, limit)) as batches:
        return run_batches(work, batches, pace, emit, missing, known, limit)


@dataclass
class RunProgress:
    """The progress of a run over pictures; stored ones are no work, and the time that remains is told by the others.

    pictures: how many there will be, 0 where that is not known. n_done: computed or not usable; n_stored: answered by the store.
    timing: of what is computed.
    """

    progress: Progress
    units: int
    pictures: int
    n_done: int = 0
    n_stored: int = 0
    timing: Timing | None = None

    @property
    def n_left(self) -> int:
        """The pictures that are still to be computed, as far as that is known."""
        return max(0, self.pictures - self.n_stored - self.n_done)

    @property
    def total(self) -> int:
        """The units of work of all pictures that have to be computed, as far as that is known."""
        return max(0, self.pictures - self.n_stored) * self.units

    def reading(self) -> None:
        """Say that pictures are being read."""
        self.progress(self.n_done * self.units, self.total, "reading")

    def of(self, first: int, n: int) -> Progress:
        """The progress of a part of `n` pictures, of which the first is the one of this number, from 1."""
        where = f"picture {first}" if n == 1 else f"pictures {first}–{first + n - 1}"
        where += f" of {self.pictures}" if self.pictures else ""

        def progress(done: int = 0, total: int = 0, note: str = "") -> None:
            del total
            if self.timing is not None:
                self.timing.watch.tick(n, done)
            self.progress(self.n_done * self.units + done * n, self.total, f"{where}, {note}" if note else where)

        return progress


def run_batches(
    work: Plan,
    batches: Iterable[Batch],
    pace: RunProgress,
    emit: Emit,
    missing: int = 0,
    known: Known | None = None,
    limit: BatchLimit | None = None,
) -> AnalyzeResult:
    """Predict, attack and measure pictures that are read already, and return the counts.

    Args:
        work: the plan: models, attacks and budgets.
        batches: pairs of pictures as the models see them (or the rows of stored ones), and of pictures that could not be
            used; taken one after the other.
        pace: the count of the pictures that are done, with the function that is called at each step; what that raises
            ends the run.
        emit: called with the rows as they become ready, and with the pictures that could not be used.
        missing: pictures that could not be used before any batch, for the count of failures.
        known: the result store beside the plan, None for none.
        limit: how many pictures go through the models at once, where whoever reads them knows it too.

    Returns:
        The counts over all rows, with the checks that rows alone can answer.

    Raises:
        DeviceProblem: a single picture takes more memory than there is.
    """
    clock = WorkClock(pace.progress)
    limit = BatchLimit(work) if limit is None else limit
    pace.progress, pace.timing = clock, Timing(work, pace.pictures, clock, limit.most)
    started_s = clock.now_s()
    tally = Tally()
    n_failed = 0

    def send(rows: Sequence[PictureRow]) -> None:
        if rows:
            emit(rows)
            for row in rows:
                tally.add(Trial.of(row))

    pace.timing.begin()
    for found, failed in batches:
        if failed:
            emit(failed)
            n_failed += len(failed)
            pace.n_done += len(failed)
        before = pace.n_done + pace.n_stored
        pace.n_stored += sum(not isinstance(one, Input) for one in found)
        places = {id(one): place for place, one in enumerate(found)}
        ready: dict[int, Stored] = {id(one): one for one in found if not isinstance(one, Input)}
        waiting = deque(found)
        send(_ready(waiting, ready))
        for some in _of_one_size([one for one in found if isinstance(one, Input)], limit):
            rows = _rows_or_smaller(work, some, pace, before + places[id(some[0])] + 1, known, limit)
            each = len(rows) // len(some)
            ready |= {id(one): rows[i * each : (i + 1) * each] for i, one in enumerate(some)}
            send(_ready(waiting, ready))
            pace.timing.add(rows, len(some))
            if pace.pictures:
                foresee(clock, *pace.timing.left_s(pace.n_left))
        pace.timing.begin()
    compared = work.variants[1].id if len(work.variants) == 2 else None
    n = pace.n_done + pace.n_stored - n_failed
    blank = _blank(work, missing + n_failed, n, clock.now_s() - started_s)
    blank = replace(blank, rows_from_store=0 if known is None else known.n_rows, pace=pace.timing.pace())
    return checked(tally, tally.scored(blank, compared))


def _ready(waiting: deque[Input | Stored], ready: Mapping[int, Stored]) -> list[PictureRow]:
    """The rows of the pictures that wait, up to the first that has none yet; those pictures wait no longer."""
    rows: list[PictureRow] = []
    while waiting and id(waiting[0]) in ready:
        rows += ready[id(waiting.popleft())]
    return rows


def _of_one_size(inputs: Sequence[Input], limit: BatchLimit) -> Iterator[list[Input]]:
    """Neighbours of the same size, no more than go through the models at once."""
    for (height, width), group in itertools.groupby(inputs, key=lambda one: (one.seen.shape[1], one.seen.shape[2])):
        waiting = list(group)
        while waiting:
            most = limit.at_once(height, width)
            yield waiting[:most]
            waiting = waiting[most:]


def _rows_or_smaller(
    work: Plan, inputs: list[Input], pace: RunProgress, first: int, known: Known | None, limit: BatchLimit
) -> list[PictureRow]:
    """The rows of a part of a batch, in halves where the device has no memory for it; `first` is its first picture's number."""
    height, width = inputs[0].seen.shape[1:]
    before = limit.begin()
    try:
        rows = rows_of(work, inputs, pace.of(first, len(inputs)), known)
    except RuntimeError as error:
        if is_unrepeatable(error):
            raise DeviceProblem(
                f"{work.classifier.device.type} has no repeatable algorithm for this: {str(error).partition(' does not')[0]}.",
                "Leave --deterministic away, or use --device cpu.",
            ) from error
        if not is_out_of_memory(error):
            raise
        if len(inputs) == 1:
            raise DeviceProblem(
                f"{work.classifier.device.type} ran out of memory on a single picture.",
                "Use --device cpu, or a smaller model.",
            ) from None
    else:
        pace.n_done += len(inputs)
        limit.end(len(inputs), height, width, before)
        return rows
    free_memory(work.classifier.device)
    half = (len(inputs) + 1) // 2
    limit.failed(half, height, width)
    rows, at = [], 0
    while at < len(inputs):
        some = inputs[at : at + limit.at_once(height, width)]
        rows += _rows_or_smaller(work, some, pace, first + at, known, limit)
        at += len(some)
    return rows


def _blank(work: Plan, n_failed: int, n: int, wall_s: float) -> AnalyzeResult:
    """All that is known without counting."""
    first = work.variants[0]
    return AnalyzeResult(
        n=n,
        n_failed=n_failed,
        label_source=work.label_source,
        clean_accuracy=None,
        clean_interval=None,
        robust_accuracy=None,
        robust_interval=None,
        attacks=(),
        consistency=(),
        threat_model=work.threat,
        model=work.model,
        prompts=first.id,
        device=work.classifier.device.type,
        wall_s=wall_s,
        images_per_s=n / wall_s if wall_s > 0 else 0.0,
        model_sha256=work.classifier.sha256,
        prompts_sha256=first.sha256,
        suite=work.suite,
        classes=len(work.classifier.classes),
        notes=work.notes,
        checks=(names_check(one.classifier for one in work.variants),),
        unknown_words=work.unknown_words,
        minimal_eps=MinimalEps(0, 0, None, None, None, work.minimal_eps) if work.minimal_eps else None,
        text_drift=tuple(
            TextDrift(one.id, text_drift(one.classifier.text, work.frozen.text), len(one.classifier.classes))
            for one in work.variants
            if one.classifier is not work.frozen
        ),
        memory_bytes=peak_bytes(work.classifier.device),
    )
