"""Pictures × variants × attacks → rows, batch by batch; a picture that cannot be used never stops the others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from capt_engine.checks.forecast import PICTURES, pieces
from capt_engine.checks.from_rows import checked, rows_first
from capt_engine.data.folders import collect
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadImage, BadRequest, DeviceProblem
from capt_engine.evaluation.checks import live_checks, some_of
from capt_engine.evaluation.names_check import names_check
from capt_engine.evaluation.pace import StepWatch, Timed, pace_of
from capt_engine.evaluation.plan import Plan
from capt_engine.evaluation.rows import Input, rows_of
from capt_engine.metrics.features import text_drift
from capt_engine.metrics.tally import Tally, Trial
from capt_engine.model.classifier import Classifier
from capt_engine.model.memory import peak_bytes
from capt_engine.progress import Progress, WorkClock, foresee
from capt_engine.records import AnalyzeResult, FailedPicture, MinimalEps, Pace, PictureRow, TextDrift
from capt_engine.wrappers.resizing import pixels_for

_TABLE_BATCH = 16

Emit = Callable[[Sequence[PictureRow | FailedPicture]], None]
Batch = tuple[list[Input], list[FailedPicture]]
Labelled = tuple[str, int | None, int | None]
"""The path of a picture, the index of its class, and that of its target; None where there is no label, or no target of its own."""


def analyze(
    work: Plan, paths: Sequence[str], emit: Emit, progress: Progress, done: Iterable[str] = ()
) -> AnalyzeResult:
    """Predict and attack the unlabelled pictures in the files and folders `paths`, and return the counts.

    work: the plan (models, attacks, budgets). emit: called with rows as they become ready; a picture that cannot be
    used comes as a FailedPicture. progress: called at each step; what it raises (Cancelled) ends the run. done: paths of
    pictures that are left out, because an interrupted run has finished them. Raises BadRequest where there is no picture.
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
    result = _run(work, [(path, None, None) for path in left], len(missing), emit, progress)
    return replace(result, notes=(*(sentence for _, sentence in found.left_out), *result.notes))


def evaluate(
    work: Plan, items: Sequence[Item], emit: Emit, progress: Progress, probed: Sequence[Item] | None = None
) -> AnalyzeResult:
    """Predict and attack the labelled pictures `items`, check the evaluation, and return the counts.

    work: the plan (models, attacks, budgets, checks). emit: called with rows as they become ready; a picture that
    cannot be used comes as a FailedPicture. progress: called at each step; what it raises (Cancelled) ends the run.
    probed: pictures of which some are used for the checks; None: `items`.
    """
    clock = WorkClock(progress)
    started_s = clock.now_s()
    result = _run(work, [(item.path, item.label, item.target) for item in items], 0, emit, clock)
    checked_s = clock.now_s()
    live = live_checks(work, some_of(work, items if probed is None else probed), clock)
    pace = None if result.pace is None else replace(result.pace, after_s=clock.now_s() - checked_s)
    # images_per_s stays that of the pictures: how long the checks take does not grow with them.
    return replace(result, checks=rows_first(result.checks, live), wall_s=clock.now_s() - started_s, pace=pace)


def _run(work: Plan, subjects: Sequence[Labelled], missing: int, emit: Emit, progress: Progress) -> AnalyzeResult:
    # Left to choose, begin with one picture and double: the first verdict is on screen while the rest is still being worked on.
    read = _read(work, subjects, work.batch or 1, progress)
    return run_batches(work, read, len(subjects), emit, progress, missing)


def run_batches(
    work: Plan, batches: Iterable[Batch], pictures: int, emit: Emit, progress: Progress, missing: int = 0
) -> AnalyzeResult:
    """Predict, attack and measure pictures that are read already, and return the counts.

    Args:
        work: the plan: models, attacks and budgets.
        batches: pairs of pictures as the models see them, and of pictures that could not be used; taken one after the
            other.
        pictures: how many there will be; 0 where that is not known.
        emit: called with the rows as they become ready, and with the pictures that could not be used.
        progress: called at each step; what it raises ends the run.
        missing: pictures that could not be used before any batch, for the count of failures.

    Returns:
        The counts over all rows, with the checks that rows alone can answer.

    Raises:
        DeviceProblem: a single picture takes more memory than there is.
    """
    clock = WorkClock(progress)
    started_s = begun_s = clock.now_s()
    tally, timing = Tally(), _Timing(work, pictures)
    n_seen = n_failed = 0
    most = _most(work) * work.classifier.size**2
    for inputs, failed in batches:
        if failed:
            emit(failed)
            n_failed += len(failed)
            n_seen += len(failed)
        for some in _of_one_size(inputs, most):
            progressed = _BatchProgress(clock, n_seen * work.units, pictures, work.units)
            rows = _rows_or_smaller(work, some, progressed, timing.watch)
            n_seen += len(some)
            emit(rows)
            for row in rows:
                tally.add(Trial.of(row))
            now_s = clock.now_s()
            timing.add(rows, len(some), now_s - begun_s)
            begun_s = now_s
            if pictures:
                foresee(progress, *timing.left_s(pictures - n_seen))
    compared = work.variants[1].id if len(work.variants) == 2 else None
    blank = _blank(work, missing + n_failed, n_seen - n_failed, clock.now_s() - started_s)
    blank = replace(blank, pace=timing.pace())
    return checked(tally, tally.scored(blank, compared))


def _most(work: Plan) -> int:
    """Pictures of the model's own size that go through it at once."""
    batch = work.batch or _batch_size(work.classifier)
    # The many rows a picture of a table wait for the last corruption, with an answer of k numbers each.
    return min(batch, _TABLE_BATCH) if work.is_table else batch


def _batch_size(classifier: Classifier) -> int:
    # On a CPU a small batch is as fast as a large one and its first row comes sooner.
    pixels = classifier.size**2
    return max(1, (64 if classifier.device.type != "cpu" else 8) * 224**2 // max(pixels, 112**2))


def _of_one_size(inputs: Sequence[Input], pixels: int) -> Iterator[list[Input]]:
    """Neighbours of the same size, no more than hold so many pixels together, but for a single larger one."""
    for (height, width), group in itertools.groupby(inputs, key=lambda one: (one.seen.shape[1], one.seen.shape[2])):
        waiting, most = list(group), max(1, pixels // (height * width))
        while waiting:
            yield waiting[:most]
            waiting = waiting[most:]


def _read(work: Plan, subjects: Sequence[Labelled], first: int, progress: Progress) -> Iterator[Batch]:
    """Read the pictures, `first` of them and then twice as many each time, up to as many as go through the model at once."""
    size = _most(work)
    start, now = 0, min(first, size)
    while start < len(subjects):
        inputs: list[Input] = []
        failed: list[FailedPicture] = []
        for path, label, target in subjects[start : start + now]:
            progress(start * work.units, len(subjects) * work.units, "reading")
            try:
                inputs.append(Input(*pixels_for(work.classifier, path), label, target))
            except BadImage as error:
                failed.append(FailedPicture(path, error.message, error.hint))
        start, now = start + now, min(2 * now, size)
        yield inputs, failed


@dataclass(frozen=True)
class _BatchProgress:
    """The progress of one batch within a longer run."""

    progress: Progress
    before: int
    pictures: int
    units: int

    def of(self, n: int) -> Progress:
        first = self.before // self.units + 1
        where = f"picture {first}" if n == 1 else f"pictures {first}–{first + n - 1}"
        where += f" of {self.pictures}" if self.pictures else ""

        def progress(done: int = 0, total: int = 0, note: str = "") -> None:
            del total
            self.progress(self.before + done * n, self.pictures * self.units, f"{where}, {note}" if note else where)

        return progress


class _Timing:
    """The pace of a run as it goes."""

    def __init__(self, work: Plan, pictures: int) -> None:
        self._work, self._pictures = work, pictures
        self._batches: list[Timed] = []
        self._n = self._right = self._held = 0
        self.watch = StepWatch()

    def add(self, rows: Sequence[PictureRow], n: int, seconds: float) -> None:
        """Note the rows of a batch of `n` pictures, and the seconds that it took."""
        self._batches.append(Timed(n, seconds))
        own = [row for row in rows if row.prompt_id == self._work.variants[0].id]
        by_picture = itertools.groupby(own, key=lambda row: row.path)
        for _, some in by_picture:
            answers = list(some)
            is_right = answers[0].classes[answers[0].clean.winner] == answers[0].label
            self._n += 1
            self._right += is_right
            self._held += is_right and not any(row.success for row in answers)

    def pace(self) -> Pace | None:
        """The pace so far, with what follows the pictures."""
        return pace_of(self._batches, _most(self._work), self._checks_s())

    def left_s(self, n: int) -> tuple[float, float]:
        """The seconds that `n` more pictures take, and those of what follows them."""
        pace = self.pace()
        assert pace is not None
        return pace.pictures_s(n), pace.after_s

    def _checks_s(self) -> float:
        work, n = self._work, min(PICTURES[self._work.checks], self._pictures or self._n)
        others = 2 * (work.baseline is not None or work.classifier is not work.frozen) or bool(work.source)
        shares = (self._right / max(self._n, 1), self._held / max(self._n, 1))
        some = pieces(work.checks, work.leading, n, *shares, others=others)
        return len(work.variants) * self.watch.seconds(some)


def _rows_or_smaller(work: Plan, inputs: list[Input], batches: _BatchProgress, watch: StepWatch) -> list[PictureRow]:
    try:
        return rows_of(work, inputs, batches.of(len(inputs)), watch)
    except torch.OutOfMemoryError:
        if len(inputs) == 1:
            raise DeviceProblem(
                f"{work.classifier.device.type} ran out of memory on a single picture.",
                "Use --device cpu, or a smaller model.",
            ) from None
    torch.cuda.empty_cache()
    half = (len(inputs) + 1) // 2
    second = replace(batches, before=batches.before + half * work.units)
    return _rows_or_smaller(work, inputs[:half], batches, watch) + _rows_or_smaller(work, inputs[half:], second, watch)


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
