"""One batch of pictures → rows: classify with each variant, attack, classify again, measure. What is stored already is not computed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.evaluation.course import Asked, Course, Input, Start
from capt_engine.evaluation.known import Known, KnownPicture
from capt_engine.evaluation.minimal import ROUNDS, smallest_budgets
from capt_engine.evaluation.picture_sets import picture_of, picture_sets
from capt_engine.evaluation.plan import Plan, PlannedAttack, Variant
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.model.classifier import Classifier, Output
from capt_engine.model.devices import finest
from capt_engine.model.numerics import product_of_rows
from capt_engine.model.transfer import stacked
from capt_engine.progress import Progress
from capt_engine.records import Picture, PictureRow, PictureSet
from capt_engine.results.cells import AttackedAnswer, CleanAnswer, PhotoFacts, SmallestBudget
from capt_engine.wrappers.quantized import run_attack
from capt_engine.wrappers.reencoding import SAVINGS
from capt_engine.wrappers.remembered import remembered


@dataclass(frozen=True)
class _Clean:
    """A variant's clean answers to a batch, the labels (n,) that count for it, and the targets (n,) of a targeted attack.

    model: the variant's classifier, which remembers its answers to this batch. time_s: of the answer to one picture.
    """

    variant: Variant
    model: Classifier
    clean: Output
    labels: Tensor
    targets: Tensor | None = None
    time_s: float = 0.0

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

    def starts(self, inputs: Sequence[Input]) -> list[Start]:
        """The starts of the pictures of the batch."""
        n = len(inputs)
        targets: list[int] | list[None] = [None] * n if self.targets is None else self.targets.tolist()
        each = zip(_bytes(self.clean.logits), inputs, targets, strict=True)
        return [Start.of(logits, one.label, target, self.time_s) for logits, one, target in each]


def rows_of(plan: Plan, inputs: Sequence[Input], progress: Progress, known: Known | None = None) -> list[PictureRow]:
    """Predict, attack and measure one batch of pictures, and return its rows.

    plan: models, attacks and budgets. inputs: the pictures, all of one size. Rows come picture by picture: one for each
    attack, budget and pair of evaluated model and source model; without attacks, one for each model. progress: called
    at each step; what it raises (Cancelled) ends the work. known: the result store, which is asked before each attack
    and gets what is computed after it.
    """
    progress(0, 0)
    images = stacked([one.seen for one in inputs], plan.classifier.device)
    by_model = {variant.id: _classify(plan, variant, images, inputs) for variant in plan.variants}
    plain = _plain(plan, images, by_model)
    scores = [None] * len(inputs) if plain is None else _ood_scores(plan, plain)
    memory: list[KnownPicture | None] = [None] * len(inputs)
    if known is not None:
        memory = [known.picture(Asked(one.photo, one.label, one.target)) for one in inputs]
        _keep_clean(plan, known, memory, inputs, by_model, plain, scores)
    starts = {name: each.starts(inputs) for name, each in by_model.items()}
    smallest: dict[str, list[float | None]] = {}
    done = 1
    for name, each in by_model.items():
        smallest[name] = _smallest(plan, each, images, inputs, progress, done, known, memory)
        done += ROUNDS * plan.searching.work if plan.searching else 0
    answers = [""] * len(inputs)
    if plain is not None and not plan.is_table:
        answers = [plan.frozen.classes[i] for i in plain.logits.argmax(dim=1).tolist()]
    courses = [
        Course(
            plan,
            one,
            {name: found[i] for name, found in starts.items()},
            answers[i],
            scores[i],
            {name: eps[i] for name, eps in smallest.items()},
        )
        for i, one in enumerate(inputs)
    ]
    if not plan.planned_attacks:
        sets = picture_sets(images, images, None) if plan.with_pictures else [None] * len(inputs)
        return [row for course, one in zip(courses, sets, strict=True) for row in course.clean_rows(one)]
    by_source = {one.id: _classify(plan, one, images, inputs) for one in plan.sources if one.id not in by_model}
    batch = _Batch(plan, inputs, images, by_model | by_source, plain, courses, known, memory, progress)
    for at, planned in enumerate(plan.planned_attacks):
        done = batch.attack(at, planned, done)
    return [row for course in courses for row in course.rows]


@dataclass(frozen=True)
class _Batch:
    """A batch under the attacks of a plan: the pictures (n, 3, h, w) in [0, 1], the clean answers by the id of a model, and the courses.

    plain: the zero-shot model's clean answers. memory: what is stored of each picture; None without a store.
    """

    plan: Plan
    inputs: Sequence[Input]
    images: Tensor
    by_model: dict[str, _Clean]
    plain: Output | None
    courses: Sequence[Course]
    known: Known | None
    memory: Sequence[KnownPicture | None]
    progress: Progress

    def attack(self, at: int, planned: PlannedAttack, done: int) -> int:
        """Run one attack of the plan, the one at the place `at`, on the pictures on which it has to be run, and add its rows.

        done: units of work before it; returns those after it.
        """
        plan, pictures = self.plan, range(len(self.inputs))
        for course in self.courses:
            course.begin(planned)
        rows = self._stored(at, planned)
        pairs = [(p, source) for p, (_, source) in enumerate(plan.pairs)]
        found: dict[str, _Adversarial] = {}
        # A corruption is computed on no model: one picture is shown to all.
        for source in plan.variants[:1] if plan.is_table else plan.sources:
            own = [p for p, on in pairs if plan.is_table or on.id == source.id]
            left = [i for i in pictures if any(self.courses[i].is_open(p) and (i, p) not in rows for p in own)]
            on = self.by_model[source.id]
            found[source.id] = _attacked(plan, planned, on, self.images, self.inputs, left, self.progress, done)
            done += planned.attack.work
        self.progress(done, 0, "measuring")
        for p, source in pairs:
            adversarial = found[plan.variants[0].id if plan.is_table else source.id]
            which = [k for k, i in enumerate(adversarial.numbers) if self.courses[i].is_open(p) and (i, p) not in rows]
            if which:
                rows |= self._computed(
                    at, planned, p, adversarial.only(which), partial(self.progress, done, 0, "measuring")
                )
        for i, course in enumerate(self.courses):
            for p, _ in pairs:
                course.take(planned, p, rows.get((i, p)) or course.row(planned, p, None))
        if self.known is not None:
            self.known.flush()
        return done

    def _stored(self, at: int, planned: PlannedAttack) -> dict[tuple[int, int], PictureRow]:
        """The rows that the store has, by picture and pair of models."""
        rows = {}
        for i, (course, memory) in enumerate(zip(self.courses, self.memory, strict=True)):
            for p in range(len(self.plan.pairs)):
                if memory is None or self.known is None or not course.is_open(p):
                    continue
                if (row := memory.row(course, planned, at, p, partial(self._seen, i))) is not None:
                    rows[i, p] = row
                    self.known.n_rows += 1
        return rows

    def _seen(self, i: int) -> Picture:
        return picture_of(self.images[i])

    def _computed(
        self, at: int, planned: PlannedAttack, pair: int, adversarial: _Adversarial, heartbeat: Callable[[], None]
    ) -> dict[tuple[int, int], PictureRow]:
        """The rows of adversarial pictures as one pair of models has them; what they say goes to the store."""
        plan, (judge, source), numbers = self.plan, self.plan.pairs[pair], adversarial.numbers
        each, images = self.by_model[judge.id].of(numbers), self.images[numbers]
        sets: Sequence[PictureSet | None] = [None] * len(numbers)
        if self.plain is None or plan.is_table:
            answers = _counted(each, adversarial)
        else:
            inputs = [self.inputs[i] for i in numbers]
            frozen = self.plain.logits[numbers]
            answers = _measured(plan, each, images, adversarial, frozen, inputs, heartbeat)
            if plan.with_pictures or self._keeps_unasked():
                sets = picture_sets(images, adversarial.pictures, planned)
        rows = {}
        for i, answer, pictures in zip(numbers, answers, sets, strict=True):
            memory = self.memory[i]
            row = self.courses[i].row(planned, pair, answer, "" if memory is None else memory.key(at, pair))
            if self.known is not None and memory is not None:
                self.known.keep(self.known.questions.attacked[judge.id, source.id, at], memory.of_label, answer)
                if pictures is not None and (plan.shows(row) if plan.with_pictures else row.success):
                    self.known.keep_pictures(memory, source.id, at, pictures, unasked=not plan.with_pictures)
            rows[i, pair] = replace(row, pictures=pictures if plan.with_pictures else None)
        return rows

    def _keeps_unasked(self) -> bool:
        """True if pictures go to the store though this run shows none: the next one may."""
        return self.known is not None and self.known.takes_unasked(self.images[0].numel())


def _bytes(logits: Tensor) -> list[bytes]:
    """The logits (n, k) of each picture as k floats of 32 bits."""
    return [one.astype("<f4").tobytes() for one in logits.detach().cpu().numpy()]


def _classify(plan: Plan, variant: Variant, images: Tensor, inputs: Sequence[Input]) -> _Clean:
    started_s = time.monotonic()
    model = remembered(variant.classifier)
    with torch.no_grad():
        clean = model.forward(images)
    own = clean.logits.argmax(dim=1)
    given = torch.tensor([-1 if one.label is None else one.label for one in inputs], device=own.device)
    wanted = [plan.target if one.target is None else one.target for one in inputs]
    targets = torch.tensor(wanted, device=own.device) if plan.threat.targeted else None
    time_s = (time.monotonic() - started_s) / len(inputs)
    return _Clean(variant, model, clean, torch.where(given < 0, own, given), targets, time_s)


def _plain(plan: Plan, images: Tensor, by_model: dict[str, _Clean]) -> Output | None:
    """The zero-shot model's answers to the clean pictures; a table of corruptions has them only where it is among those asked."""
    for each in by_model.values():
        if each.variant.classifier is plan.frozen:
            return each.clean
    if plan.is_table:
        return None
    with torch.no_grad():
        return plan.frozen.forward(images)


def _ood_scores(plan: Plan, plain: Output) -> list[float | None]:
    """The score of each clean picture by the frozen model's output for it; None where the model has no statistics."""
    scores = plan.frozen.ood_scores(plain.features)
    return [None] * len(plain.features) if scores is None else scores.tolist()


def _keep_clean(
    plan: Plan,
    known: Known,
    memory: Sequence[KnownPicture | None],
    inputs: Sequence[Input],
    by_model: dict[str, _Clean],
    plain: Output | None,
    scores: Sequence[float | None],
) -> None:
    """Give the store the clean answers and the facts of the files, whatever is attacked afterwards."""
    outputs = [(known.questions.clean[name], each.clean, each) for name, each in by_model.items()]
    asked = [
        (question, _bytes(clean.logits), each.time_s, each.variant.classifier is plan.frozen)
        for question, clean, each in outputs
    ]
    if plain is not None and not any(is_plain for _, _, _, is_plain in asked):
        asked.append((known.questions.frozen, _bytes(plain.logits), 0.0, True))
    for i, (one, picture) in enumerate(zip(inputs, memory, strict=True)):
        if picture is None:
            continue
        known.keep(
            known.questions.photo, picture.of_file, PhotoFacts(one.photo.width, one.photo.height, one.photo.notes)
        )
        for question, logits, time_s, is_plain in asked:
            known.keep(question, picture.of_file, CleanAnswer(logits[i], time_s, scores[i] if is_plain else None))
    known.flush()


def _smallest(
    plan: Plan,
    each: _Clean,
    images: Tensor,
    inputs: Sequence[Input],
    progress: Progress,
    done: int,
    known: Known | None,
    memory: Sequence[KnownPicture | None],
) -> list[float | None]:
    """The smallest budget that breaks each picture; None where no attack can succeed any more, or where it is not searched."""
    found: list[float | None] = [None] * len(inputs)
    if plan.searching is None:
        return found
    numbers = []
    for i in each.can_succeed().nonzero().flatten().tolist():
        picture = memory[i]
        cell = None if picture is None else picture.smallest_of(each.variant.id)
        if cell is None:
            numbers.append(i)
        else:
            found[i] = cell.eps
    if not numbers:
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
        if known is not None and (picture := memory[i]) is not None:
            known.keep(known.questions.smallest[each.variant.id], picture.of_label, SmallestBudget(eps))
    if known is not None:
        known.flush()
    return found


@dataclass(frozen=True)
class _Adversarial:
    """Adversarial pictures (m, 3, h, w), their indices in the batch, and the seconds per picture."""

    pictures: Tensor
    numbers: list[int]
    time_s: float

    def only(self, which: Sequence[int]) -> _Adversarial:
        """Those at these places."""
        some = list(which)
        return _Adversarial(self.pictures[some], [self.numbers[k] for k in some], self.time_s)


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

    # as people call it, with the settings that tell it from another of the run
    called = planned.attack.label + planned.label.removeprefix(planned.attack.name)

    def step(at: int = 0, total: int = 0, note: str = "") -> None:
        progress(done + at, total, f"{called}, {note}" if len(plan.planned_attacks) > 1 else note)

    pictures = run_attack(
        planned.attack, on.model, images[left], on.labels_or_targets[left], planned.threat, rngs, step
    )
    return _Adversarial(pictures, left, (time.monotonic() - started_s) / len(left))


def _answered(
    each: _Clean,
    logits: Tensor,
    metrics: Sequence[tuple[tuple[str, float], ...]],
    survived: dict[str, list[bool | None]],
    time_s: float,
) -> list[AttackedAnswer]:
    """The answers to attacked pictures with logits (n, k), and what was measured of each."""
    fooled, open_to = each.succeeds(logits).tolist(), each.can_succeed().tolist()
    labels = each.labels.tolist()
    return [
        AttackedAnswer(
            label=labels[i],
            success=fooled[i] if open_to[i] else None,
            logits=one,
            metrics=metrics[i],
            survives=(survived["png"][i], survived["jpeg95"][i], survived["jpeg75"][i], survived["resize"][i]),
            time_s=time_s,
        )
        for i, one in enumerate(_bytes(logits))
    ]


def _counted(each: _Clean, adversarial: _Adversarial) -> list[AttackedAnswer]:
    """The answers to adversarial pictures and no more."""
    started_s = time.monotonic()
    n = len(adversarial.numbers)
    with torch.no_grad():
        seen = each.variant.classifier.forward(adversarial.pictures)
    time_s = adversarial.time_s + (time.monotonic() - started_s) / n
    return _answered(each, seen.logits, [()] * n, {name: [None] * n for name in SAVINGS}, time_s)


def _measured(
    plan: Plan,
    each: _Clean,
    images: Tensor,
    made: _Adversarial,
    frozen: Tensor,
    inputs: Sequence[Input],
    heartbeat: Callable[[], None],
) -> list[AttackedAnswer]:
    """The answers to adversarial pictures, and all that is measured of them; `heartbeat` lets a long measurement be stopped."""
    started_s = time.monotonic()
    clean, classifier, attacked = each.clean, each.variant.classifier, made.pictures
    with torch.no_grad():
        adversarial = each.model.forward(attacked)
        fooled = each.succeeds(adversarial.logits)
        drawn = [int(one.photo.sha256[:8], 16) % plan.saved_every == 0 for one in inputs]
        survived = _survived(each, attacked, fooled & each.can_succeed() & torch.tensor(drawn, device=fooled.device))
    given = (
        images,
        attacked,
        each.labels,
        clean.logits,
        adversarial.logits,
        clean.features,
        adversarial.features,
        product_of_rows(clean.features, classifier.text.T),
        product_of_rows(adversarial.features, classifier.text.T),
        frozen,
    )
    # The metrics need double precision, which some devices do not have.
    outcomes = Outcomes(
        *(value if finest(value.device) is torch.float64 else value.cpu() for value in given),
        lpips=None if plan.lpips is None else partial(plan.lpips, progress=heartbeat),
        alpha=each.variant.alpha,
    )
    measured = [(metric.name, metric.measure(outcomes).cpu().double()) for metric in METRICS]
    metrics = [
        tuple((name, float(values[i])) for name, values in measured if bool(values[i].isfinite()))
        for i in range(len(inputs))
    ]
    time_s = made.time_s + (time.monotonic() - started_s) / len(inputs)
    return _answered(each, adversarial.logits, metrics, survived, time_s)


def _survived(each: _Clean, attacked: Tensor, wanted: Tensor) -> dict[str, list[bool | None]]:
    """For each way of saving whether each `wanted` picture (n,), a mask, still fools the model; None for the others."""
    found: dict[str, list[bool | None]] = {name: [None] * len(wanted) for name in SAVINGS}
    numbers = wanted.nonzero().flatten().tolist()
    if not numbers:
        return found
    # All forms at once, at most as many as the batch has: a lone picture would take a forward pass of two (see model/trunk.py).
    forms = [form for saved in SAVINGS.values() for form in saved(attacked[numbers])]
    some = (forms[at : at + len(wanted)] for at in range(0, len(forms), len(wanted)))
    logits = torch.cat([each.model(torch.stack(few)) for few in some])
    still = each.of(numbers * len(SAVINGS)).succeeds(logits).tolist()
    for (name, i), one in zip(itertools.product(SAVINGS, numbers), still, strict=True):
        found[name][i] = bool(one)
    return found
