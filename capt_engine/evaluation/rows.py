"""One batch of pictures → rows: ask each contestant, attack, ask again, measure."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.data.images import Photo
from capt_engine.evaluation.minimal import ROUNDS, smallest_budgets
from capt_engine.evaluation.plan import OWN_ANSWER, Plan, PlannedAttack, Variant, carried_over
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.model.classifier import Output
from capt_engine.progress import Progress
from capt_engine.records import Picture, PictureRow, PictureSet, SignedPicture, Verdict
from capt_engine.wrappers.quantized import crafted
from capt_engine.wrappers.reencoding import SAVINGS, to_bytes


@dataclass(frozen=True)
class Input:
    """What is kept of a picture: `seen` by the model, (3, h, w) in [0, 1], the photo without its own pixels, and its label's index.

    label: None where nobody gave one; then it is each model's own clean prediction.
    """

    photo: Photo
    seen: Tensor
    label: int | None = None


@dataclass(frozen=True)
class _Asked:
    """A contestant's clean answers to a batch, and the labels (n,) it is held to."""

    variant: Variant
    clean: Output
    labels: Tensor


@dataclass
class _Standing:
    """Which pictures an attack is still run on, for one pair of who is asked and on whom it was computed.

    reasons: why a picture is not, "" where it is. carried: what holds at every budget from here on.
    """

    carried: list[str]
    reasons: list[str]

    @classmethod
    def of(cls, work: Plan, each: _Asked) -> _Standing:
        """All of them, or where the plan asks for it those with an answer to lose."""
        why = "wrong before" if work.target is None else "at the target before"
        skips = work.skip_broken or work.until_chance
        first = ["" if is_open or not skips else why for is_open in _open_to_success(work, each).tolist()]
        return cls(first, list(first))

    def begin(self) -> None:
        """A new budget."""
        self.reasons = list(self.carried)

    def end(self, work: Plan, budget: str) -> None:
        """A budget is done."""
        if work.until_chance:
            now = zip(self.carried, self.reasons, strict=True)
            self.carried = [was or (f"broken at {budget}" if why else "") for was, why in now]

    def fell(self, i: int, attack: str) -> None:
        """An attack broke a picture."""
        self.reasons[i] = f"broken by {attack}"


def rows_of(work: Plan, inputs: Sequence[Input], progress: Progress) -> list[PictureRow]:
    """Rows of a batch: picture by picture, under each assault one for each pair of the plan. Raises Cancelled through `tick`."""
    started_s = time.monotonic()
    progress(0, 0)
    images = torch.stack([one.seen for one in inputs]).to(work.classifier.device)
    asked = {variant.id: _ask(variant, images, inputs) for variant in work.variants}
    if work.is_table:
        return _table_rows(work, images, inputs, list(asked.values()), progress)
    frozen = _frozen(work, images, list(asked.values()))
    if not work.planned_attacks:
        time_s = (time.monotonic() - started_s) / len(inputs) / len(asked)
        columns = [_clean_rows(work, each, images, inputs, time_s) for each in asked.values()]
        return _by_picture(columns, work, frozen)
    columns = []
    done = 1
    elsewhere = {one.id: _ask(one, images, inputs) for one in work.sources if one.id not in asked}
    pairs = [(asked[judge.id], (asked | elsewhere)[source.id]) for judge, source in work.pairs]
    standing = [_Standing.of(work, judge) for judge, _ in pairs]
    smallest = {}
    for each in asked.values():
        smallest[each.variant.id] = _smallest(work, each, images, inputs, progress, done)
        done += ROUNDS * work.searching.work if work.searching else 0
    first = next(one for one in work.planned_attacks if one.threat.eps == work.threat.eps)
    for budget, planned_attacks in itertools.groupby(work.planned_attacks, key=lambda one: one.threat.eps):
        for one in standing:
            one.begin()
        for planned in planned_attacks:
            crafted: dict[str, _Crafted] = {}
            for source in work.sources:
                mine = [one for one, (_, on) in zip(standing, pairs, strict=True) if on.variant.id == source.id]
                left = [i for i in range(len(inputs)) if not all(one.reasons[i] for one in mine)]
                on = (asked | elsewhere)[source.id]
                crafted[source.id] = _attacked(work, planned, on, images, inputs, left, progress, done)
                done += planned.attack.work
            progress(done, 0, "measuring")
            for one, (judge, on) in zip(standing, pairs, strict=True):
                beat = partial(progress, done, 0, "measuring")
                of = _Shown(work, planned, judge, on.variant.id, crafted[on.variant.id], beat)
                column = of.rows(images, frozen, inputs, one)
                if planned is first and judge is on:
                    found = smallest[judge.variant.id]
                    column = [replace(row, minimal_eps=eps) for row, eps in zip(column, found, strict=True)]
                columns.append(column)
        for one in standing:
            one.end(work, eps_words(budget, work.threat.norm))
    return _by_picture(columns, work, frozen)


def _by_picture(columns: Sequence[Sequence[PictureRow]], work: Plan, frozen: Tensor) -> list[PictureRow]:
    """All rows of the first picture, then those of the next, each with the frozen model's answer to the clean picture."""
    answers = [work.frozen.classes[i] for i in frozen.argmax(dim=1).tolist()]
    by_picture = zip(zip(*columns, strict=True), answers, strict=True)
    return [replace(row, frozen=answer) for rows, answer in by_picture for row in rows]


def _table_rows(
    work: Plan, images: Tensor, inputs: Sequence[Input], asked: Sequence[_Asked], progress: Progress
) -> list[PictureRow]:
    """As `rows_of`, for corruptions: one forward pass each for each contestant, who all see the same pictures; nothing else is measured."""
    columns: list[list[PictureRow]] = []
    before = [_verdicts(each.clean) for each in asked]
    for done, planned in enumerate(work.planned_attacks, 1):
        crafted = _attacked(work, planned, asked[0], images, inputs, list(range(len(inputs))), progress, done)
        for each, clean in zip(asked, before, strict=True):
            shown = _Shown(work, planned, each, each.variant.id, crafted)
            columns.append(shown.counted(inputs, clean))
    return [row for of_one_picture in zip(*columns, strict=True) for row in of_one_picture]


def eps_words(eps: float, norm: str) -> str:
    """A budget as people write it."""
    return f"{eps * 255:.4g}/255" if norm == "linf" else f"{eps:.4g}"


def _ask(variant: Variant, images: Tensor, inputs: Sequence[Input]) -> _Asked:
    with torch.no_grad():
        clean = variant.classifier.forward(images)
    own = clean.logits.argmax(dim=1)
    given = torch.tensor([-1 if one.label is None else one.label for one in inputs], device=own.device)
    return _Asked(variant, clean, torch.where(given < 0, own, given))


def _frozen(work: Plan, images: Tensor, asked: Sequence[_Asked]) -> Tensor:
    for each in asked:
        if each.variant.classifier is work.frozen:
            return each.clean.logits
    with torch.no_grad():
        return work.frozen(images)


def _smallest(
    work: Plan, each: _Asked, images: Tensor, inputs: Sequence[Input], progress: Progress, done: int
) -> list[float | None]:
    """The smallest budget that breaks each picture with an answer to lose; None for the others, or where nobody asked."""
    found: list[float | None] = [None] * len(inputs)
    numbers = _open_to_success(work, each).nonzero().flatten().tolist()
    if work.searching is None or not numbers:
        return found
    labels = each.labels[numbers]
    aims = labels if work.target is None else torch.full_like(labels, work.target)
    most = ROUNDS * work.searching.work
    ticks = itertools.count()

    def step(at: int = 0, total: int = 0, note: str = "") -> None:
        del at, total
        progress(done + min(next(ticks) // len(numbers), most - 1), 0, f"smallest ε, {note}" if note else "smallest ε")

    budgets = smallest_budgets(
        work.searching,
        each.variant.classifier,
        images[numbers],
        aims,
        next(one.threat for one in work.planned_attacks if one.threat.eps == work.threat.eps),
        lambda some: PictureRngs.of(work.seed, [inputs[numbers[k]].photo.sha256 for k in some]),
        lambda logits, some: _fooled(work, labels[list(some)], logits),
        work.minimal_eps,
        step,
    )
    for i, eps in zip(numbers, budgets, strict=True):
        found[i] = eps
    return found


@dataclass(frozen=True)
class _Crafted:
    """Attacked pictures (m, 3, h, w), which of the batch they are, and the seconds that one of them took."""

    pictures: Tensor
    numbers: list[int]
    time_s: float


def _attacked(
    work: Plan,
    planned: PlannedAttack,
    on: _Asked,
    images: Tensor,
    inputs: Sequence[Input],
    left: list[int],
    progress: Progress,
    done: int,
) -> _Crafted:
    """The attacked doubles of the pictures that are `left`."""
    started_s = time.monotonic()
    if not left:
        return _Crafted(images[:0], left, 0.0)
    aims = on.labels if work.target is None else torch.full_like(on.labels, work.target)
    rngs = PictureRngs.of(work.seed, [inputs[i].photo.sha256 for i in left])

    def step(at: int = 0, total: int = 0, note: str = "") -> None:
        progress(done + at, total, f"{planned.label}, {note}" if len(work.planned_attacks) > 1 else note)

    attacked = crafted(planned.attack, on.variant.classifier, images[left], aims[left], planned.threat, rngs, step)
    return _Crafted(attacked, left, (time.monotonic() - started_s) / len(left))


@dataclass(frozen=True)
class _Shown:
    """One assault's pictures, computed on `crafter`, shown to one contestant. beat: where a long measurement can be stopped."""

    work: Plan
    planned: PlannedAttack
    each: _Asked
    source: str
    crafted: _Crafted
    beat: Callable[[], None] = lambda: None

    def rows(self, images: Tensor, frozen: Tensor, inputs: Sequence[Input], standing: _Standing) -> list[PictureRow]:
        """A row for each picture of the batch, with those that were left out; takes from `standing` what broke."""
        work, each = self.work, self.each
        at = [k for k, i in enumerate(self.crafted.numbers) if not standing.reasons[i]]
        numbers = [self.crafted.numbers[k] for k in at]
        rows: dict[int, PictureRow] = {}
        if numbers:
            mine = replace(
                each,
                clean=Output(each.clean.logits[numbers], each.clean.features[numbers]),
                labels=each.labels[numbers],
            )
            some = [inputs[i] for i in numbers]
            made, fooled = self._measured(mine, images[numbers], self.crafted.pictures[at], frozen[numbers], some)
            rows = dict(zip(numbers, made, strict=True))
        for i, one in enumerate(inputs):
            if i not in rows:
                verdict = _verdict(each.clean, i)
                row = self._told(_row(work, each, i, one, 0.0, verdict, None))
                rows[i] = replace(row, skipped=standing.reasons[i])
        if work.skip_broken or work.until_chance:
            for i, fell in zip(numbers, fooled.tolist() if numbers else (), strict=True):
                if fell:
                    standing.fell(i, self.planned.label)
        return [rows[i] for i in range(len(inputs))]

    def counted(self, inputs: Sequence[Input], clean: Sequence[Verdict]) -> list[PictureRow]:
        """A row for each picture with the two answers and no more. clean: the answers before, which all of a picture's rows share."""
        started_s = time.monotonic()
        work, each = self.work, self.each
        with torch.no_grad():
            seen = each.variant.classifier.forward(self.crafted.pictures)
        fooled, open_to = _fooled(work, each.labels, seen.logits), _open_to_success(work, each)
        after = _verdicts(seen)
        time_s = self.crafted.time_s + (time.monotonic() - started_s) / len(inputs)
        return [
            replace(
                self._told(_row(work, each, i, one, time_s, clean[i], None)),
                attacked=after[i],
                success=bool(fooled[i]) if open_to[i] else None,
            )
            for i, one in enumerate(inputs)
        ]

    def _measured(
        self, each: _Asked, images: Tensor, attacked: Tensor, frozen: Tensor, inputs: Sequence[Input]
    ) -> tuple[list[PictureRow], Tensor]:
        started_s = time.monotonic()
        work, clean, classifier = self.work, each.clean, each.variant.classifier
        with torch.no_grad():
            adversarial = classifier.forward(attacked)
            fooled = _fooled(work, each.labels, adversarial.logits)
            flipped = fooled & _open_to_success(work, each)
            survived = _survived(work, each, attacked, flipped)
        given = (
            images,
            attacked,
            each.labels,
            clean.logits,
            adversarial.logits,
            clean.features,
            adversarial.features,
            clean.features @ classifier.text.T,
            adversarial.features @ classifier.text.T,
            frozen,
        )
        # Apple's GPUs have no double precision, which the metrics need.
        outcomes = Outcomes(
            *(value.cpu() if value.device.type == "mps" else value for value in given),
            lpips=None if work.lpips is None else partial(work.lpips, progress=self.beat),
        )
        measured = [(metric.name, metric.measure(outcomes).double().cpu()) for metric in METRICS]
        before, after = _verdicts(clean), _verdicts(adversarial)
        pictures = _picture_sets(images, attacked, self.planned) if work.with_pictures else [None] * len(inputs)
        open_to = _open_to_success(work, each)
        time_s = self.crafted.time_s + (time.monotonic() - started_s) / len(inputs)
        rows = [
            replace(
                self._told(_row(work, each, i, one, time_s, before[i], pictures[i])),
                attacked=after[i],
                success=bool(fooled[i]) if open_to[i] else None,
                metrics=tuple((name, float(values[i])) for name, values in measured if bool(values[i].isfinite())),
                survives_png=survived["png"][i],
                survives_jpeg95=survived["jpeg95"][i],
                survives_jpeg75=survived["jpeg75"][i],
                survives_resize=survived["resize"][i],
            )
            for i, one in enumerate(inputs)
        ]
        return rows, fooled

    def _told(self, row: PictureRow) -> PictureRow:
        """The row, with which attack it was and what it was allowed."""
        planned = self.planned
        own = self.source == self.each.variant.id
        wanted = planned.wanted if own else replace(planned.wanted, knowledge=carried_over(self.source))
        return replace(
            row,
            attack=planned.spec,
            attack_label=planned.label if planned.label != planned.spec.name else "",
            threat=wanted,
            aimed_at=self.source,
            steps=int(getattr(planned.attack, "steps", 0)),
            restarts=int(getattr(planned.attack, "restarts", 0)),
        )


def _survived(work: Plan, each: _Asked, attacked: Tensor, flipped: Tensor) -> dict[str, list[bool | None]]:
    """Of the pictures that were `flipped`, (n,): which still fool the model, by the way of saving; None for the others."""
    found: dict[str, list[bool | None]] = {}
    numbers = flipped.nonzero().flatten().tolist()
    for name, saved in SAVINGS.items():
        found[name] = [None] * len(flipped)
        if numbers:
            still = _fooled(work, each.labels[numbers], each.variant.classifier(saved(attacked[numbers])))
            for i, one in zip(numbers, still.tolist(), strict=True):
                found[name][i] = bool(one)
    return found


def _fooled(work: Plan, labels: Tensor, logits: Tensor) -> Tensor:
    """Does the answer differ from the label, or is it the target; (n,)."""
    winners = logits.argmax(dim=1)
    return winners != labels if work.target is None else winners == work.target


def _open_to_success(work: Plan, each: _Asked) -> Tensor:
    """Is there a right answer to turn, or one that is not the target yet; (n,)."""
    winners = each.clean.logits.argmax(dim=1)
    return winners == each.labels if work.target is None else winners != work.target


def _clean_rows(work: Plan, each: _Asked, images: Tensor, inputs: Sequence[Input], time_s: float) -> list[PictureRow]:
    verdicts = _verdicts(each.clean)
    pictures = _picture_sets(images, images, None) if work.with_pictures else [None] * len(inputs)
    return [_row(work, each, i, one, time_s, verdicts[i], pictures[i]) for i, one in enumerate(inputs)]


def _row(
    work: Plan, each: _Asked, i: int, one: Input, time_s: float, clean: Verdict, pictures: PictureSet | None
) -> PictureRow:
    """The row of a picture that nobody attacked."""
    classes, photo = each.variant.classifier.classes, one.photo
    return PictureRow(
        path=photo.path,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        label=classes[int(each.labels[i])],
        label_source=OWN_ANSWER if one.label is None else work.label_source,
        classes=classes,
        clean=clean,
        attacked=None,
        attack=None,
        steps=0,
        restarts=0,
        threat=work.threat,
        seed=work.seed,
        success=None,
        metrics=(),
        survives_png=None,
        survives_jpeg95=None,
        time_s=time_s,
        model_id=work.model,
        prompt_id=each.variant.id,
        pictures=pictures,
        notes=photo.notes,
    )


def _verdict(output: Output, i: int) -> Verdict:
    return _verdicts(Output(output.logits[i : i + 1], output.features[i : i + 1]))[0]


def _verdicts(output: Output) -> list[Verdict]:
    logits = output.logits.cpu().double()
    probabilities = logits.softmax(dim=1)
    return [Verdict(tuple(z.tolist()), tuple(p.tolist())) for z, p in zip(logits, probabilities, strict=True)]


def _picture_sets(images: Tensor, attacked: Tensor, planned: PlannedAttack | None) -> list[PictureSet]:
    deltas = (attacked - images).permute(0, 2, 3, 1).cpu()
    return [
        PictureSet(_picture(seen), _signed(delta, planned), _picture(adversarial))
        for seen, delta, adversarial in zip(to_bytes(images), deltas, to_bytes(attacked), strict=True)
    ]


def _picture(rgb: Tensor) -> Picture:
    height, width, _ = rgb.shape
    return Picture(width, height, rgb.numpy().tobytes())


def _signed(delta: Tensor, planned: PlannedAttack | None) -> SignedPicture:
    height, width, _ = delta.shape
    largest = float(delta.abs().max())
    # In the budget's own units where the norm bounds each value, so that ±ε is exactly ±127.
    bounded = (
        planned is not None
        and not planned.wanted.budget
        and planned.threat.norm.name == "linf"
        and planned.threat.eps > 0
    )
    scale = planned.threat.eps if planned is not None and bounded else largest or 1.0
    values = (delta / scale * 127).round().clamp(-127, 127).to(torch.int8)
    return SignedPicture(width, height, scale, values.contiguous().numpy().tobytes())
