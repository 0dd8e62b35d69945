"""Unlabelled pictures × classifier × attack → rows: predict, attack, compare. The label is the model's own clean prediction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import NORMS, Attack, Draws, Step, Threat
from capt_engine.data.folders import collect
from capt_engine.data.images import Photo, read_photo
from capt_engine.errors import BadImage, BadRequest, DeviceProblem, UnknownName
from capt_engine.evaluation.survival import as_jpeg, as_png, to_bytes
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.metrics.interval import wilson
from capt_engine.model.classifier import Classifier, Output
from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    AttackSummary,
    FailedPicture,
    Picture,
    PictureRow,
    PictureSet,
    SignedPicture,
    Verdict,
)
from capt_engine.registry import build

LABEL_SOURCE = "model"
# Clean pass, survival twice, metrics and bookkeeping, in units of one attack step.
_OVERHEAD = 4

Emit = Callable[[Sequence[PictureRow | FailedPicture]], None]


@dataclass(frozen=True)
class Plan:
    """An analysis with every name resolved, before any picture is touched."""

    request: AnalyzeRequest
    classifier: Classifier
    frozen: Classifier
    attack: Attack | None
    threat: Threat
    target: int | None

    @property
    def units(self) -> int:
        """Units of work that one picture is."""
        return _OVERHEAD + (self.attack.work if self.attack else 0)


def plan(request: AnalyzeRequest, classifier: Classifier, frozen: Classifier) -> Plan:
    """Resolve the attack, the norm and the target; raises BadRequest or UnknownName."""
    wanted = request.threat
    norm = NORMS[wanted.norm]
    if not 0 <= wanted.eps <= norm.high_eps:
        raise BadRequest(
            f"A budget of {wanted.eps:g} makes no sense for {norm.name}.", f"Budgets go from 0 to {norm.high_eps:g}."
        )
    if request.batch < 0:
        raise BadRequest(f"A batch of {request.batch} pictures cannot be.", "Leave it at 0 to let the engine choose.")
    target = None
    if wanted.target is not None:
        if wanted.target not in classifier.classes:
            raise UnknownName("class", wanted.target, classifier.classes)
        target = classifier.classes.index(wanted.target)
    attack = build(ATTACKS[request.attack.name], request.attack.values) if request.attack else None
    return Plan(request, classifier, frozen, attack, Threat(norm, wanted.eps, target is not None), target)


def analyze(work: Plan, emit: Emit, tick: Step) -> AnalyzeResult:
    """Run a plan. Rows leave through `emit` as they become ready; a picture that cannot be used becomes one FailedPicture.

    Raises BadRequest when there is nothing to look at, Cancelled through `tick`.
    """
    started_s = time.monotonic()
    tick(0, 0, "looking for pictures")
    found = collect(work.request.paths)
    missing = [FailedPicture(path, sentence) for path, sentence in found.skipped]
    if not found.files and not missing:
        raise BadRequest("There is no picture in what was named.", "Name picture files, or a folder that holds some.")
    if missing:
        emit(missing)
    tally = _Tally(missing=len(missing))
    total = len(found.files) * work.units
    batch = work.request.batch or _batch_size(work.classifier)
    # Left to choose, begin with one picture and double: the first verdict is on screen while the rest is still being worked on.
    first = work.request.batch or 1
    for inputs, failed in _batches(
        found.files, work.classifier, batch, first, lambda: tick(tally.seen * work.units, total, "reading")
    ):
        if failed:
            emit(failed)
            tally.unread += len(failed)
        if not inputs:
            continue
        rows = _rows_or_smaller(work, inputs, _Progress(tick, tally.seen * work.units, total, len(found.files)))
        emit(rows)
        for row in rows:
            tally.add(row)
    return tally.result(work, time.monotonic() - started_s)


def _batch_size(classifier: Classifier) -> int:
    # On a CPU a small batch is as fast as a large one and its first row comes sooner.
    pixels = classifier.size**2
    return max(1, (64 if classifier.device.type != "cpu" else 8) * 224**2 // max(pixels, 112**2))


@dataclass(frozen=True)
class _Input:
    """What is kept of a picture: `seen` by the model, (3, h, w) in [0, 1], and the photo without its own pixels."""

    photo: Photo
    seen: Tensor


def _input(path: str, classifier: Classifier) -> _Input:
    photo = read_photo(path)
    short, long = sorted((photo.width, photo.height))
    # Scaled until its short side fits, a picture of one pixel by a million would fill the memory.
    if long > classifier.size * short:
        raise BadImage(
            f"The picture is {photo.width} × {photo.height}: a strip that the model could see next to nothing of.",
            "Cut out the part that matters.",
        )
    seen = classifier.backbone.view(Image.fromarray(photo.rgb))
    return _Input(replace(photo, rgb=np.empty((0, 0, 3), np.uint8)), seen)


def _batches(
    files: Sequence[str], classifier: Classifier, size: int, first: int, between: Callable[[], None]
) -> Iterator[tuple[list[_Input], list[FailedPicture]]]:
    start, now = 0, min(first, size)
    while start < len(files):
        wanted = files[start : start + now]
        start, now = start + now, min(2 * now, size)
        inputs: list[_Input] = []
        failed: list[FailedPicture] = []
        for path in wanted:
            between()
            try:
                inputs.append(_input(path, classifier))
            except BadImage as error:
                failed.append(FailedPicture(path, error.message, error.hint))
        yield inputs, failed


@dataclass(frozen=True)
class _Progress:
    """A tick for one batch of a longer run."""

    tick: Step
    before: int
    total: int
    pictures: int

    def of(self, n: int, work: Plan) -> Step:
        first = self.before // work.units + 1
        last = first + n - 1
        where = f"picture {first} of {self.pictures}" if n == 1 else f"pictures {first}–{last} of {self.pictures}"

        def tick(done: int, total: int, note: str = "") -> None:
            del total
            self.tick(self.before + done * n, self.total, f"{where}, {note}" if note else where)

        return tick


def _rows_or_smaller(work: Plan, inputs: list[_Input], progress: _Progress) -> list[PictureRow]:
    try:
        return _rows(work, inputs, progress.of(len(inputs), work))
    except torch.OutOfMemoryError:
        if len(inputs) == 1:
            raise DeviceProblem(
                f"{work.classifier.device.type} ran out of memory on a single picture.",
                "Use --device cpu, or a smaller model.",
            ) from None
    torch.cuda.empty_cache()
    half = (len(inputs) + 1) // 2
    second = _Progress(progress.tick, progress.before + half * work.units, progress.total, progress.pictures)
    return _rows_or_smaller(work, inputs[:half], progress) + _rows_or_smaller(work, inputs[half:], second)


def _rows(work: Plan, inputs: list[_Input], tick: Step) -> list[PictureRow]:
    started_s = time.monotonic()
    tick(0, 0)
    classifier, request = work.classifier, work.request
    images = torch.stack([one.seen for one in inputs]).to(classifier.device)
    with torch.no_grad():
        clean = classifier.output(images)
    labels = clean.logits.argmax(dim=1)
    if work.attack is None:
        time_s = (time.monotonic() - started_s) / len(inputs)
        return [_clean_row(work, one.photo, i, images, clean, time_s) for i, one in enumerate(inputs)]

    aims = labels if work.target is None else torch.full_like(labels, work.target)
    draws = Draws.of(request.seed, [one.photo.sha256 for one in inputs])
    attacked = work.attack.run(
        classifier, images, aims, work.threat, draws, lambda done, total, note: tick(done + 1, total, note)
    )
    tick(work.attack.work + 1, 0, "measuring")
    with torch.no_grad():
        adversarial = classifier.output(attacked)
        frozen = clean.logits if work.frozen is classifier else work.frozen(images)
        success = _success(work, adversarial.logits, labels)
        png = _success(work, classifier(as_png(attacked)), labels)
        jpeg = _success(work, classifier(as_jpeg(attacked)), labels)
    given = images, attacked, labels, clean.logits, adversarial.logits, clean.features, adversarial.features, frozen
    # Apple's GPUs have no double precision, which the metrics need.
    outcomes = Outcomes(*(value.cpu() if value.device.type == "mps" else value for value in given))
    measured = [(metric.name, metric.measure(outcomes).double().cpu()) for metric in METRICS]
    verdicts = list(zip(_verdicts(clean), _verdicts(adversarial), strict=True))
    pictures = _picture_sets(images, attacked, work.threat) if request.with_pictures else [None] * len(inputs)
    time_s = (time.monotonic() - started_s) / len(inputs)
    return [
        _row(
            work,
            one.photo,
            verdicts[i][0],
            time_s,
            attacked=verdicts[i][1],
            success=bool(success[i]),
            metrics=tuple((name, float(values[i])) for name, values in measured if bool(values[i].isfinite())),
            survives_png=bool(png[i]) if success[i] else None,
            survives_jpeg95=bool(jpeg[i]) if success[i] else None,
            pictures=pictures[i],
        )
        for i, one in enumerate(inputs)
    ]


def _success(work: Plan, logits: Tensor, labels: Tensor) -> Tensor:
    winners = logits.argmax(dim=1)
    return winners != labels if work.target is None else (winners == work.target) & (labels != work.target)


def _clean_row(work: Plan, photo: Photo, i: int, images: Tensor, clean: Output, time_s: float) -> PictureRow:
    pictures = (
        _picture_sets(images[i : i + 1], images[i : i + 1], work.threat)[0] if work.request.with_pictures else None
    )
    return _row(work, photo, _verdicts(clean)[i], time_s, pictures=pictures)


def _row(
    work: Plan,
    photo: Photo,
    clean: Verdict,
    time_s: float,
    *,
    attacked: Verdict | None = None,
    success: bool | None = None,
    metrics: tuple[tuple[str, float], ...] = (),
    survives_png: bool | None = None,
    survives_jpeg95: bool | None = None,
    pictures: PictureSet | None = None,
) -> PictureRow:
    request, classifier = work.request, work.classifier
    return PictureRow(
        path=photo.path,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        label=classifier.classes[clean.winner],
        label_source=LABEL_SOURCE,
        classes=classifier.classes,
        clean=clean,
        attacked=attacked,
        attack=request.attack,
        steps=int(getattr(work.attack, "steps", 0)),
        restarts=int(getattr(work.attack, "restarts", 0)),
        threat=request.threat,
        seed=request.seed,
        success=success,
        metrics=metrics,
        survives_png=survives_png,
        survives_jpeg95=survives_jpeg95,
        time_s=time_s,
        model_id=request.model,
        prompt_id=request.prompts or "none",
        pictures=pictures,
        notes=photo.notes,
    )


def _verdicts(output: Output) -> list[Verdict]:
    logits = output.logits.cpu().double()
    probabilities = logits.softmax(dim=1)
    return [Verdict(tuple(z.tolist()), tuple(p.tolist())) for z, p in zip(logits, probabilities, strict=True)]


def _picture_sets(images: Tensor, attacked: Tensor, threat: Threat) -> list[PictureSet]:
    deltas = (attacked - images).permute(0, 2, 3, 1).cpu()
    return [
        PictureSet(_picture(seen), _signed(delta, threat), _picture(adversarial))
        for seen, delta, adversarial in zip(to_bytes(images), deltas, to_bytes(attacked), strict=True)
    ]


def _picture(rgb: Tensor) -> Picture:
    height, width, _ = rgb.shape
    return Picture(width, height, rgb.numpy().tobytes())


def _signed(delta: Tensor, threat: Threat) -> SignedPicture:
    height, width, _ = delta.shape
    largest = float(delta.abs().max())
    # In the budget's own units where the norm bounds each value, so that ±ε is exactly ±127.
    scale = threat.eps if threat.norm.name == "linf" and threat.eps > 0 else largest or 1.0
    values = (delta / scale * 127).round().clamp(-127, 127).to(torch.int8)
    return SignedPicture(width, height, scale, values.contiguous().numpy().tobytes())


class _Tally:
    """Counts and sums over rows, so that memory does not grow with the number of pictures."""

    def __init__(self, missing: int) -> None:
        self.missing = missing
        self.unread = self.n = self.kept = self.successes = 0
        self.seconds = 0.0
        self.sums: dict[str, tuple[float, int]] = {}

    @property
    def seen(self) -> int:
        """Files that are done with, read or not."""
        return self.n + self.unread

    def add(self, row: PictureRow) -> None:
        self.n += 1
        self.seconds += row.time_s
        if row.attacked is not None:
            self.kept += row.attacked.winner == row.clean.winner
            self.successes += bool(row.success)
        for name, value in row.metrics:
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value, count + 1)

    def result(self, work: Plan, wall_s: float) -> AnalyzeResult:
        n, request = self.n, work.request
        measured = n > 0 and work.attack is not None
        attacks = (
            (AttackSummary(request.attack.name, self.kept / n, self.successes / n, self.seconds),)
            if request.attack and measured
            else ()
        )
        return AnalyzeResult(
            n=n,
            n_failed=self.missing + self.unread,
            label_source=LABEL_SOURCE,
            clean_accuracy=1.0 if n else None,
            clean_interval=wilson(n, n) if n else None,
            robust_accuracy=self.kept / n if measured else None,
            robust_interval=wilson(self.kept, n) if measured else None,
            attacks=attacks,
            consistency=tuple((name, total / count) for name, (total, count) in self.sums.items()),
            threat_model=request.threat,
            model=request.model,
            prompts=request.prompts or "none",
            device=work.classifier.device.type,
            wall_s=wall_s,
            images_per_s=n / wall_s if wall_s > 0 else 0.0,
            model_sha256=work.classifier.backbone.sha256,
        )
