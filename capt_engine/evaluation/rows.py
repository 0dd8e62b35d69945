"""One batch of pictures → rows: classify with each variant, attack, classify again, measure."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from capt_engine import formatting
from capt_engine.attacks.base import PictureRngs
from capt_engine.data.images import Photo
from capt_engine.evaluation.minimal import ROUNDS, smallest_budgets
from capt_engine.evaluation.plan import OWN_ANSWER, Plan, PlannedAttack, Variant, carried_over
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import Progress
from capt_engine.records import Picture, PictureRow, PictureSet, SignedPicture, Verdict
from capt_engine.wrappers.quantized import run_attack
from capt_engine.wrappers.reencoding import SAVINGS, to_bytes
from capt_engine.wrappers.remembered import remembered


@dataclass(frozen=True)
class Input:
    """A picture of the batch.

    Attributes:
        photo: the facts of its file, without its pixels.
        seen: the pixels that the model takes, (3, h, w) in [0, 1].
        label: the index of its class; None where there is none, and each model's own clean prediction takes its place.
        target: the index of the class that the attacker wants to see on this picture, where each has its own.
    """

    photo: Photo
    seen: Tensor
    label: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class _Clean:
    """A variant's clean answers to a batch, the labels (n,) that count for it, and the targets (n,) of a targeted attack.

    model: the variant's classifier, which remembers its answers to this batch.
    """

    variant: Variant
    model: Classifier
    clean: Output
    labels: Tensor
    targets: Tensor | None = None

    @property
    def labels_or_targets(self) -> Tensor:
        """The classes (n,) that an attack gets away from, or to where it is targeted."""
        return self.labels if self.targets is None else self.targets

    def succeeds(self, logits: Tensor) -> Tensor:
        """A mask (n,): True where the answer differs from the label, or is the target."""
        winners = logits.argmax(dim=1)
        return winners != self.labels if self.targets is None else winners == self.targets

    def can_succeed(self) -> Tensor:
        """A mask (n,): True where the clean answer is right, or is not the target yet."""
        return ~self.succeeds(self.clean.logits)

    def of(self, numbers: Sequence[int]) -> _Clean:
        """The same of the pictures with these indices."""
        which = list(numbers)
        clean = Output(self.clean.logits[which], self.clean.features[which])
        targets = None if self.targets is None else self.targets[which]
        return replace(self, clean=clean, labels=self.labels[which], targets=targets)


@dataclass
class _Active:
    """The pictures that are still attacked, for one pair of evaluated model and source model.

    Attributes:
        carried: for each picture the reason why it is not attacked at this or any larger budget, "" where it is.
        reasons: the same for the next attack.
    """

    carried: list[str]
    reasons: list[str]

    @classmethod
    def of(cls, plan: Plan, each: _Clean) -> _Active:
        """All pictures; where the plan skips broken ones, only those on which an attack can still succeed."""
        why = "wrong before" if each.targets is None else "at the target before"
        skips = plan.skip_broken or plan.until_chance
        first = ["" if is_open or not skips else why for is_open in each.can_succeed().tolist()]
        return cls(first, list(first))

    def begin(self) -> None:
        """Begin a budget."""
        self.reasons = list(self.carried)

    def end(self, plan: Plan, budget: str) -> None:
        """End a budget."""
        if plan.until_chance:
            now = zip(self.carried, self.reasons, strict=True)
            self.carried = [was or (f"broken at {budget}" if why else "") for was, why in now]

    def skip(self, i: int, attack: str) -> None:
        """Leave picture `i` out of the attacks after `attack`, which broke it."""
        self.reasons[i] = f"broken by {attack}"


def rows_of(plan: Plan, inputs: Sequence[Input], progress: Progress) -> list[PictureRow]:
    """Predict, attack and measure one batch of pictures, and return its rows.

    plan: models, attacks and budgets. inputs: the pictures, all of one size. Rows come picture by picture: one for each
    attack, budget and pair of evaluated model and source model; without attacks, one for each model. progress: called
    at each step; what it raises (Cancelled) ends the work.
    """
    started_s = time.monotonic()
    progress(0, 0)
    images = torch.stack([one.seen for one in inputs]).to(plan.classifier.device)
    by_model = {variant.id: _classify(plan, variant, images, inputs) for variant in plan.variants}
    if plan.is_table:
        return _table_rows(plan, images, inputs, list(by_model.values()), progress)
    plain = _frozen(plan, images, list(by_model.values()))
    frozen, scores = plain.logits, _ood_scores(plan, plain)
    if not plan.planned_attacks:
        time_s = (time.monotonic() - started_s) / len(inputs) / len(by_model)
        columns = [_clean_rows(plan, each, images, inputs, time_s) for each in by_model.values()]
        return _by_picture(columns, plan, frozen, scores)
    columns = []
    done = 1
    by_source = {one.id: _classify(plan, one, images, inputs) for one in plan.sources if one.id not in by_model}
    pairs = [(by_model[judge.id], (by_model | by_source)[source.id]) for judge, source in plan.pairs]
    active = [_Active.of(plan, judge) for judge, _ in pairs]
    smallest = {}
    for each in by_model.values():
        smallest[each.variant.id] = _smallest(plan, each, images, inputs, progress, done)
        done += ROUNDS * plan.searching.work if plan.searching else 0
    first = next(one for one in plan.planned_attacks if one.threat.eps == plan.threat.eps)
    for budget, planned_attacks in itertools.groupby(plan.planned_attacks, key=lambda one: one.threat.eps):
        for one in active:
            one.begin()
        for planned in planned_attacks:
            found: dict[str, _Adversarial] = {}
            for source in plan.sources:
                same = [one for one, (_, on) in zip(active, pairs, strict=True) if on.variant.id == source.id]
                left = [i for i in range(len(inputs)) if not all(one.reasons[i] for one in same)]
                on = (by_model | by_source)[source.id]
                found[source.id] = _attacked(plan, planned, on, images, inputs, left, progress, done)
                done += planned.attack.work
            progress(done, 0, "measuring")
            for one, (judge, on) in zip(active, pairs, strict=True):
                heartbeat = partial(progress, done, 0, "measuring")
                of = _Evaluation(plan, planned, judge, on.variant.id, found[on.variant.id], heartbeat)
                column = of.rows(images, frozen, inputs, one)
                if planned is first and judge is on:
                    least = smallest[judge.variant.id]
                    column = [replace(row, minimal_eps=eps) for row, eps in zip(column, least, strict=True)]
                columns.append(column)
        for one in active:
            one.end(plan, formatting.budget(budget, plan.threat.norm))
    return _by_picture(columns, plan, frozen, scores)


def _by_picture(
    columns: Sequence[Sequence[PictureRow]], plan: Plan, frozen: Tensor, scores: Sequence[float | None]
) -> list[PictureRow]:
    """All rows of the first picture, then those of the next, each with the frozen model's answer to the clean picture and its score."""
    answers = [plan.frozen.classes[i] for i in frozen.argmax(dim=1).tolist()]
    by_picture = zip(zip(*columns, strict=True), answers, scores, strict=True)
    return [replace(row, frozen=answer, ood_score=score) for rows, answer, score in by_picture for row in rows]


def _table_rows(
    plan: Plan, images: Tensor, inputs: Sequence[Input], by_model: Sequence[_Clean], progress: Progress
) -> list[PictureRow]:
    """Rows of a batch of corruptions: one forward pass for each variant and corruption, of the same pictures; nothing else is measured."""
    columns: list[list[PictureRow]] = []
    before = [_verdicts(each.clean) for each in by_model]
    plain = next((each.clean for each in by_model if each.variant.classifier is plan.frozen), None)
    scores = [None] * len(inputs) if plain is None else _ood_scores(plan, plain)
    for done, planned in enumerate(plan.planned_attacks, 1):
        adversarial = _attacked(plan, planned, by_model[0], images, inputs, list(range(len(inputs))), progress, done)
        for each, clean in zip(by_model, before, strict=True):
            columns.append(_Evaluation(plan, planned, each, each.variant.id, adversarial).counted(inputs, clean))
    by_picture = zip(zip(*columns, strict=True), scores, strict=True)
    return [replace(row, ood_score=score) for rows, score in by_picture for row in rows]


def _classify(plan: Plan, variant: Variant, images: Tensor, inputs: Sequence[Input]) -> _Clean:
    model = remembered(variant.classifier)
    with torch.no_grad():
        clean = model.forward(images)
    own = clean.logits.argmax(dim=1)
    given = torch.tensor([-1 if one.label is None else one.label for one in inputs], device=own.device)
    wanted = [plan.target if one.target is None else one.target for one in inputs]
    targets = torch.tensor(wanted, device=own.device) if plan.threat.targeted else None
    return _Clean(variant, model, clean, torch.where(given < 0, own, given), targets)


def _frozen(plan: Plan, images: Tensor, by_model: Sequence[_Clean]) -> Output:
    for each in by_model:
        if each.variant.classifier is plan.frozen:
            return each.clean
    with torch.no_grad():
        return plan.frozen.forward(images)


def _ood_scores(plan: Plan, plain: Output) -> list[float | None]:
    """The score of each clean picture by the frozen model's output for it; None where the model has no statistics."""
    scores = plan.frozen.ood_scores(plain.features)
    return [None] * len(plain.features) if scores is None else scores.tolist()


def _smallest(
    plan: Plan, each: _Clean, images: Tensor, inputs: Sequence[Input], progress: Progress, done: int
) -> list[float | None]:
    """The smallest budget that breaks each picture; None where no attack can succeed any more, or where it is not searched."""
    found: list[float | None] = [None] * len(inputs)
    numbers = each.can_succeed().nonzero().flatten().tolist()
    if plan.searching is None or not numbers:
        return found
    some = each.of(numbers)
    most = ROUNDS * plan.searching.work
    ticks = itertools.count()

    def step(at: int = 0, total: int = 0, note: str = "") -> None:
        del at, total
        progress(done + min(next(ticks) // len(numbers), most - 1), 0, f"smallest ε, {note}" if note else "smallest ε")

    budgets = smallest_budgets(
        plan.searching,
        each.variant.classifier,
        images[numbers],
        some.labels_or_targets,
        next(one.threat for one in plan.planned_attacks if one.threat.eps == plan.threat.eps),
        lambda which: PictureRngs.of(plan.seed, [inputs[numbers[k]].photo.sha256 for k in which]),
        lambda logits, which: some.of(which).succeeds(logits),
        plan.minimal_eps,
        step,
    )
    for i, eps in zip(numbers, budgets, strict=True):
        found[i] = eps
    return found


@dataclass(frozen=True)
class _Adversarial:
    """Adversarial pictures (m, 3, h, w), their indices in the batch, and the seconds per picture."""

    pictures: Tensor
    numbers: list[int]
    time_s: float


def _attacked(
    plan: Plan,
    planned: PlannedAttack,
    on: _Clean,
    images: Tensor,
    inputs: Sequence[Input],
    left: list[int],
    progress: Progress,
    done: int,
) -> _Adversarial:
    """Attack the pictures with indices `left` on the source model."""
    started_s = time.monotonic()
    if not left:
        return _Adversarial(images[:0], left, 0.0)
    rngs = PictureRngs.of(plan.seed, [inputs[i].photo.sha256 for i in left])

    def step(at: int = 0, total: int = 0, note: str = "") -> None:
        progress(done + at, total, f"{planned.label}, {note}" if len(plan.planned_attacks) > 1 else note)

    pictures = run_attack(
        planned.attack, on.model, images[left], on.labels_or_targets[left], planned.threat, rngs, step
    )
    return _Adversarial(pictures, left, (time.monotonic() - started_s) / len(left))


@dataclass(frozen=True)
class _Evaluation:
    """One attack's pictures, computed on `source`, evaluated on one variant; `heartbeat` lets a long measurement be stopped."""

    plan: Plan
    planned: PlannedAttack
    each: _Clean
    source: str
    adversarial: _Adversarial
    heartbeat: Callable[[], None] = lambda: None

    def rows(self, images: Tensor, frozen: Tensor, inputs: Sequence[Input], active: _Active) -> list[PictureRow]:
        """A row for each picture of the batch, also for those that were skipped; a broken one leaves `active`."""
        plan, each = self.plan, self.each
        at = [k for k, i in enumerate(self.adversarial.numbers) if not active.reasons[i]]
        numbers = [self.adversarial.numbers[k] for k in at]
        rows: dict[int, PictureRow] = {}
        if numbers:
            some = [inputs[i] for i in numbers]
            made, fooled = self._measured(
                each.of(numbers), images[numbers], self.adversarial.pictures[at], frozen[numbers], some
            )
            rows = dict(zip(numbers, made, strict=True))
        for i, one in enumerate(inputs):
            if i not in rows:
                verdict = _verdict(each.clean, i)
                row = self._with_attack(_row(plan, each, i, one, 0.0, verdict, None), one)
                rows[i] = replace(row, skipped=active.reasons[i])
        if plan.skip_broken or plan.until_chance:
            for i, success in zip(numbers, fooled.tolist() if numbers else (), strict=True):
                if success:
                    active.skip(i, self.planned.label)
        return [rows[i] for i in range(len(inputs))]

    def counted(self, inputs: Sequence[Input], clean: Sequence[Verdict]) -> list[PictureRow]:
        """A row for each picture with the two answers and no more; `clean` holds the answers before, which all rows of a picture share."""
        started_s = time.monotonic()
        plan, each = self.plan, self.each
        with torch.no_grad():
            seen = each.variant.classifier.forward(self.adversarial.pictures)
        fooled, open_to = each.succeeds(seen.logits), each.can_succeed()
        after = _verdicts(seen)
        time_s = self.adversarial.time_s + (time.monotonic() - started_s) / len(inputs)
        return [
            replace(
                self._with_attack(_row(plan, each, i, one, time_s, clean[i], None), one),
                attacked=after[i],
                success=bool(fooled[i]) if open_to[i] else None,
            )
            for i, one in enumerate(inputs)
        ]

    def _measured(
        self, each: _Clean, images: Tensor, attacked: Tensor, frozen: Tensor, inputs: Sequence[Input]
    ) -> tuple[list[PictureRow], Tensor]:
        started_s = time.monotonic()
        plan, clean, classifier = self.plan, each.clean, each.variant.classifier
        with torch.no_grad():
            adversarial = each.model.forward(attacked)
            fooled = each.succeeds(adversarial.logits)
            drawn = [int(one.photo.sha256[:8], 16) % plan.saved_every == 0 for one in inputs]
            survived = _survived(
                each, attacked, fooled & each.can_succeed() & torch.tensor(drawn, device=fooled.device)
            )
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
            lpips=None if plan.lpips is None else partial(plan.lpips, progress=self.heartbeat),
            alpha=each.variant.alpha,
        )
        measured = [(metric.name, metric.measure(outcomes).double().cpu()) for metric in METRICS]
        before, after = _verdicts(clean), _verdicts(adversarial)
        pictures = _picture_sets(images, attacked, self.planned) if plan.with_pictures else [None] * len(inputs)
        open_to = each.can_succeed()
        time_s = self.adversarial.time_s + (time.monotonic() - started_s) / len(inputs)
        rows = [
            replace(
                self._with_attack(_row(plan, each, i, one, time_s, before[i], pictures[i]), one),
                attacked=after[i],
                success=bool(fooled[i]) if open_to[i] else None,
                metrics=tuple((name, float(values[i])) for name, values in measured if bool(values[i].isfinite())),
                survives_png=survived["png"][i],
                survives_jpeg95=survived["jpeg95"][i],
                survives_jpeg75=survived["jpeg75"][i],
                survives_resize=survived["resize"][i],
                alpha_rule=each.variant.alpha.name,
            )
            for i, one in enumerate(inputs)
        ]
        return rows, fooled

    def _with_attack(self, row: PictureRow, one: Input) -> PictureRow:
        """The row of a picture with its attack and threat model."""
        planned = self.planned
        own = self.source == self.each.variant.id
        wanted = planned.wanted if own else replace(planned.wanted, knowledge=carried_over(self.source))
        if one.target is not None:
            wanted = replace(wanted, target=row.classes[one.target])
        return replace(
            row,
            attack=planned.spec,
            attack_label=planned.label if planned.label != planned.spec.name else "",
            threat=wanted,
            aimed_at=self.source,
            steps=int(getattr(planned.attack, "steps", 0)),
            restarts=int(getattr(planned.attack, "restarts", 0)),
        )


def _survived(each: _Clean, attacked: Tensor, wanted: Tensor) -> dict[str, list[bool | None]]:
    """For each way of saving whether each `wanted` picture (n,), a mask, still fools the model; None for the others."""
    found: dict[str, list[bool | None]] = {name: [None] * len(wanted) for name in SAVINGS}
    numbers = wanted.nonzero().flatten().tolist()
    if not numbers:
        return found
    # All forms at once, at most as many as the batch has: a lone picture would take a forward pass of two (see model/trunk.py).
    forms = torch.cat([saved(attacked[numbers]) for saved in SAVINGS.values()])
    logits = torch.cat([each.model(some) for some in forms.split(len(wanted))])
    still = each.of(numbers * len(SAVINGS)).succeeds(logits).tolist()
    for (name, i), one in zip(itertools.product(SAVINGS, numbers), still, strict=True):
        found[name][i] = bool(one)
    return found


def _clean_rows(plan: Plan, each: _Clean, images: Tensor, inputs: Sequence[Input], time_s: float) -> list[PictureRow]:
    verdicts = _verdicts(each.clean)
    pictures = _picture_sets(images, images, None) if plan.with_pictures else [None] * len(inputs)
    return [_row(plan, each, i, one, time_s, verdicts[i], pictures[i]) for i, one in enumerate(inputs)]


def _row(
    plan: Plan, each: _Clean, i: int, one: Input, time_s: float, clean: Verdict, pictures: PictureSet | None
) -> PictureRow:
    """The row of a picture without an attack."""
    classes, photo = each.variant.classifier.classes, one.photo
    return PictureRow(
        path=photo.path,
        sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        label=classes[int(each.labels[i])],
        label_source=OWN_ANSWER if one.label is None else plan.label_source,
        classes=classes,
        clean=clean,
        attacked=None,
        attack=None,
        steps=0,
        restarts=0,
        threat=plan.threat,
        seed=plan.seed,
        success=None,
        metrics=(),
        survives_png=None,
        survives_jpeg95=None,
        time_s=time_s,
        model_id=plan.model,
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
