"""A request with every name resolved, before any picture is touched: the models, the attacks, and the models that attacks run on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import NORMS, Attack, Threat, check_fits
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.evaluation.minimal import ROUNDS
from capt_engine.evaluation.names_check import alike_notes
from capt_engine.metrics.alpha import AlphaRule
from capt_engine.model.classifier import Classifier
from capt_engine.model.lpips import ALEX, Lpips
from capt_engine.records import (
    AIMS,
    CHECK_LEVELS,
    CORRUPTION,
    OTHER_MODEL,
    PERTURBED,
    ROUNDINGS,
    SUITES,
    AnalyzeRequest,
    AttackSpec,
    EvaluateRequest,
    PictureRow,
    RunRequest,
    ThreatModel,
    UnknownWord,
    labels,
    suite,
)
from capt_engine.registry import build, describe
from capt_engine.wrappers.quantized import Quantized
from capt_engine.wrappers.resizing import Resizing

OWN_ANSWER = "model"
"""The label source where nobody gave labels: a picture's label is the model's own clean prediction."""

# So many own budgets are listed one by one.
_LISTED = 6
# Clean pass, survival, metrics and bookkeeping, in units of one attack step.
_OVERHEAD = 6

KNOWING = {
    "gradients": "white-box",
    "scores": "black-box, sees scores",
    "decisions": "black-box, sees answers only",
    "nothing": "no search",
}
"""What an attack that asks this of the model knows, in the words of a threat model."""


@dataclass(frozen=True)
class Variant:
    """One model to be evaluated: the id of its prompts (NO_PROMPTS for plain text), the classifier they make, and their rule of α."""

    id: str
    classifier: Classifier
    sha256: str = ""
    alpha: AlphaRule = field(default_factory=AlphaRule)


@dataclass(frozen=True)
class PlannedAttack:
    """One attack at one budget, as asked for and as built. label: what it is called among the others of the run."""

    label: str
    spec: AttackSpec
    attack: Attack
    wanted: ThreatModel
    threat: Threat


@dataclass(frozen=True)
class Plan:
    """Variants (A, or A and B, or those of a matrix) × planned attacks, over one class list.

    Attributes:
        frozen: the zero-shot model.
        pairs: the evaluated variant and the one that the attack was computed on; one row each.
        target: the index of the class that the attacker wants on every picture; None for any wrong one, and where each picture
            has a target of its own.
        label_source: the source of the labels.
        is_table: several corruptions, which no attacker chose: each is shown to every picture, and they have no worst case.
        source: another model that attacks are computed on.
        baseline: the undefended model, where the evaluated one is a tuned image tower and checks want it.
        lpips: the network of LPIPS, None where it is not wanted.
        saved_every: adversarial pictures are saved and classified again of one picture in so many, drawn by its SHA-256.
        wants: of a row without success, whether its pictures are wanted, where those of any row are.
    """

    variants: tuple[Variant, ...]
    frozen: Classifier
    planned_attacks: tuple[PlannedAttack, ...]
    pairs: tuple[tuple[Variant, Variant], ...]
    target: int | None
    threat: ThreatModel
    label_source: str
    model: str
    seed: int
    batch: int
    with_pictures: bool
    skip_broken: bool = False
    until_chance: bool = False
    minimal_eps: float = 0.0
    checks: str = "off"
    suite: str = ""
    is_table: bool = False
    source: Variant | None = None
    baseline: Classifier | None = None
    lpips: Lpips | None = None
    saved_every: int = 1
    wants: Callable[[PictureRow], bool] = lambda _: True

    @property
    def classifier(self) -> Classifier:
        """Return the classifier of variant A, the first model; all models share its device, size and classes."""
        return self.variants[0].classifier

    @property
    def sources(self) -> tuple[Variant, ...]:
        """Return the variants (models with their prompts) that attacks are computed on, each once."""
        return tuple({source.id: source for _, source in self.pairs}.values())

    def shows(self, row: PictureRow) -> bool:
        """Return True if the pictures of `row` are wanted: of every fooled picture, and of those that somebody will show."""
        return self.with_pictures and not self.is_table and (bool(row.success) or self.wants(row))

    @property
    def notes(self) -> tuple[str, ...]:
        """Return remarks for the user, in sentences: on settings of the attacks, and why LPIPS is not measured."""
        k = len(self.classifier.classes)
        attacks = [one.attack for one in self.planned_attacks if one.threat.eps == self.planned_attacks[0].threat.eps]
        said = (f"{one.label}: {note}" for one in attacks for note in one.notes(k))
        return (*dict.fromkeys(said), *self._unseen(), *alike_notes(one.classifier for one in self.variants))

    def _unseen(self) -> tuple[str, ...]:
        if self.lpips is None or self.threat.perturb != PERTURBED[0] or self.lpips.net.fits(self.classifier.size):
            return ()
        needed = next(side for side in itertools.count(1) if self.lpips.net.fits(side))
        return (
            f"LPIPS is not measured: {self.lpips.net.label} needs {needed} pixels, and the model sees {self.classifier.size}.",
        )

    @property
    def unknown_words(self) -> tuple[UnknownWord, ...]:
        """Return the words of class names and templates that a variant's model was never trained on, each once in a place.

        A word counts as tuned where the prompts of every variant were tuned on its classes.
        """
        found: dict[tuple[str, bool], UnknownWord] = {}
        for one in (word for variant in self.variants for word in variant.classifier.unknown_words):
            place = (one.word, bool(one.classes))
            if place not in found or found[place].tuned:
                found[place] = one
        return tuple(found.values())

    @property
    def leading(self) -> Attack | None:
        """Return the plan's first attack by gradients in a norm ball, an iterated one if there is one; else None."""
        some = [one.attack for one in self.planned_attacks if one.attack.knowledge == "gradients" and one.attack.norms]
        return next(iter([one for one in some if hasattr(one, "steps")] or some), None)

    @property
    def searching(self) -> Attack | None:
        """Return the attack that searches the smallest budgets; None where none is wanted or no attack has a norm."""
        within = (one.attack for one in self.planned_attacks if one.attack.norms)
        return (self.leading or next(within, None)) if self.minimal_eps else None

    @property
    def units(self) -> int:
        """Return the units of work that one picture takes over all models and attacks, for the progress bar."""
        work = sum(planned.attack.work for planned in self.planned_attacks) * (
            1 if self.is_table else len(self.sources)
        )
        search = ROUNDS * self.searching.work * len(self.variants) if self.searching else 0
        return _OVERHEAD * len(self.variants) + work + search


def plan_analysis(
    request: AnalyzeRequest,
    variants: Sequence[Variant],
    frozen: Classifier,
    *,
    source: Classifier | None = None,
    lpips: Lpips | None = None,
) -> Plan:
    """Return the plan of an analysis of unlabelled pictures, as `request` asks: models × attacks × budgets.

    variants: the models with their prompts that are compared, A first. frozen: the zero-shot model. source: the other
    model that attacks are computed on, None where `request` names none. lpips: the LPIPS network; None measures no
    LPIPS. Raises UnknownName for a name that there is not, BadRequest for settings that make no sense.
    """
    return _measured_by(_plan(request, variants, frozen, OWN_ANSWER, source), lpips)


def plan_evaluation(
    request: EvaluateRequest,
    variants: Sequence[Variant],
    frozen: Classifier,
    label_source: str,
    *,
    source: Classifier | None = None,
    baseline: Classifier | None = None,
    lpips: Lpips | None = None,
) -> Plan:
    """Return the plan of an evaluation of labelled pictures, as `request` asks: models × attacks × budgets.

    variants: the models with their prompts that are compared, A first. frozen: the zero-shot model. label_source: where
    the labels come from, for the rows. source: the other model that attacks are computed on, None where `request` names
    none. baseline: the undefended model that checks compare with, if it is another. lpips: the LPIPS network; None
    measures no LPIPS. Raises UnknownName for a name that there is not, BadRequest for settings that make no sense.
    """
    if request.checks not in CHECK_LEVELS:
        raise UnknownName("level of checks", request.checks, CHECK_LEVELS)
    if not (request.minimal_eps == 0 or 0.001 <= request.minimal_eps <= 1):
        raise BadRequest(f"A tolerance of {request.minimal_eps:g} cannot be.", "Give a share from 0.001 to 1.")
    work = _measured_by(_plan(request, variants, frozen, label_source, source), lpips)
    return replace(
        work,
        skip_broken=request.skip_broken and not work.is_table,
        until_chance=request.until_chance,
        minimal_eps=request.minimal_eps,
        checks=request.checks,
        baseline=None if baseline is None else _looking(baseline, request.options.threat, frozen.size),
        suite=request.suite,
        saved_every=suite(request.suite).saved_every if request.suite else 1,
    )


def _plan(
    request: RunRequest,
    variants: Sequence[Variant],
    frozen: Classifier,
    label_source: str,
    source: Classifier | None,
) -> Plan:
    wanted, classes = request.options.threat, variants[0].classifier.classes
    norm, budgets = NORMS[wanted.norm], request.budgets
    for eps in (*budgets, wanted.eps):
        if not 0 <= eps <= norm.high_eps:
            raise BadRequest(
                f"A budget of {eps:g} makes no sense for {norm.name}.", f"Budgets go from 0 to {norm.high_eps:g}."
            )
    if request.options.batch_size < 0:
        raise BadRequest(
            f"A batch of {request.options.batch_size} pictures cannot be.", "Leave it at 0 to let the engine choose."
        )
    if request.options.aim not in AIMS:
        raise UnknownName("aim of the attack", request.options.aim, AIMS)
    if wanted.perturb not in PERTURBED:
        raise UnknownName("pixels to perturb", wanted.perturb, PERTURBED)
    if wanted.rounding not in ROUNDINGS:
        raise UnknownName("rounding", wanted.rounding, ROUNDINGS)
    specs = _specs(request)
    called = labels(request.all_attacks)
    if len(set(called)) < len(specs):
        raise BadRequest("An attack was named twice.", "Name each attack once, or with different settings.")
    is_table = _is_table(request, specs)
    source_variant = _source(request, source, frozen.size, is_table=is_table)
    target = None
    if wanted.target is not None and wanted.target_column:
        raise BadRequest(
            "A target class and a column of targets were given.", "Name either --target or --target-column."
        )
    if wanted.target_column and label_source == OWN_ANSWER:
        raise BadRequest(
            "Unlabelled pictures stand in no list, so there is no column of targets.", "Name a target class."
        )
    if wanted.target is not None:
        if wanted.target not in classes:
            raise UnknownName("class", wanted.target, classes)
        target = classes.index(wanted.target)
    variants, frozen = _seeing(wanted, variants, frozen)
    planned_attacks = tuple(
        _planned(label, spec, wanted, Threat(norm, eps, wanted.targeted, _in_eight_bits(wanted)))
        for eps in budgets
        for label, spec in zip(called, specs, strict=True)
    )
    return Plan(
        variants=tuple(variants),
        frozen=frozen,
        planned_attacks=planned_attacks,
        pairs=tuple((one, one) for one in variants) if is_table else _pairs(request, tuple(variants), source_variant),
        target=target,
        threat=replace(
            wanted,
            eps=request.headline,
            budget=_own_budgets(planned_attacks),
            knowledge=_most_known(planned_attacks, source_variant) or wanted.knowledge,
        ),
        label_source=label_source,
        model=request.options.model,
        seed=request.options.seed,
        batch=request.options.batch_size,
        with_pictures=request.options.with_pictures,
        is_table=is_table,
        source=source_variant,
    )


def _source(request: RunRequest, source: Classifier | None, size: int, *, is_table: bool) -> Variant | None:
    """The other model, as it looks at pictures made for this one, of that size. Raises BadRequest for what cannot be asked beside it."""
    if source is None:
        return None
    if is_table:
        raise BadRequest("A corruption is computed on no model.", "Leave --source-model away.")
    if request.options.aim != AIMS[0] or request.matrix:
        raise BadRequest(
            "The attack is to be computed on another model, and on one of the prompts.",
            "Name either --source-model, or --aim or --matrix.",
        )
    if request.minimal_eps:
        raise BadRequest(
            "The smallest ε is searched on the model itself, not on another one.",
            "Leave --minimal-eps or --source-model away.",
        )
    return Variant(f"{OTHER_MODEL}{request.options.source_model}", _looking(source, request.options.threat, size))


def _looking(one: Classifier, wanted: ThreatModel, size: int) -> Classifier:
    """Return a model as it looks at pictures: with the resizing inside where they have another size than its own.

    They are rounded first where the threat says so. Raises BadRequest for preprocessing that cannot be put inside.
    """
    fits = wanted.perturb == PERTURBED[0] and one.size == size
    sized = one if fits else Resizing(one)
    return Quantized(sized) if _in_eight_bits(wanted) else sized


def _measured_by(work: Plan, lpips: Lpips | None) -> Plan:
    """The plan with LPIPS measured too; raises BadRequest where it would not be, or would take more memory than there is."""
    if lpips is not None and work.is_table:
        raise BadRequest(
            "Of many corruptions only the answers are kept; LPIPS is not measured.",
            "Leave --lpips away, or look at one corruption: --attack corruption --set kind=fog --lpips.",
        )
    if lpips is not None and lpips.net is not ALEX and work.threat.perturb != PERTURBED[0]:
        raise BadRequest(
            f"{lpips.net.label} on pictures at their own size takes gigabytes for each.",
            f"Measure LPIPS with {ALEX.label}: --lpips {ALEX.name}.",
        )
    return replace(work, lpips=lpips)


def _is_table(request: RunRequest, specs: Sequence[AttackSpec]) -> bool:
    """Are these several corruptions? Raises BadRequest for what cannot stand in their table."""
    corruptions = [spec for spec in specs if spec.name == CORRUPTION]
    if len(corruptions) < 2:
        return False
    if any({"kind", "severity"} - dict(spec.values).keys() for spec in corruptions):
        # Their cell is read from what they are called, in the CSV too, and that says only what was given.
        raise BadRequest(
            "Of several corruptions one has no kind or no severity.", "Say of each which it is, and how bad."
        )
    if len(corruptions) < len(specs):
        raise BadRequest(
            "Corruptions stand beside attacks; a mean over the one and a worst case over the other are no figure together.",
            "Evaluate them in runs of their own.",
        )
    if request.matrix:
        raise BadRequest(
            "A corruption is computed on no model, so there is no matrix of who fools whom.",
            "Give two sets of prompts with --prompts and --compare.",
        )
    return True


def _specs(request: RunRequest) -> tuple[AttackSpec, ...]:
    """The attacks, each with the shared settings that it knows; raises UnknownName."""
    try:
        specs = request.all_attacks
    except KeyError as error:
        raise UnknownName("suite", str(error.args[0]), [one.name for one in SUITES]) from None
    if not specs and request.shared_values:
        values = ", ".join(f"{name}={value}" for name, value in request.shared_values)
        raise BadRequest(f"No attack of the run has {values}.", "Choose settings that one of them has.")
    if not request.shared_values:
        return specs
    known = {spec.name: {info.name for info in describe(ATTACKS[spec.name])} for spec in specs}
    for name, _ in request.shared_values:
        if not any(name in names for names in known.values()):
            raise UnknownName("setting", name, sorted(set().union(*known.values())))
    return tuple(
        replace(
            spec,
            values=tuple(
                (
                    dict(spec.values)
                    | {name: value for name, value in request.shared_values if name in known[spec.name]}
                ).items()
            ),
        )
        for spec in specs
    )


def _in_eight_bits(wanted: ThreatModel) -> bool:
    return wanted.rounding != ROUNDINGS[0]


def _seeing(
    wanted: ThreatModel, variants: Sequence[Variant], frozen: Classifier
) -> tuple[Sequence[Variant], Classifier]:
    """All models as they look at pictures: at their own input size, or with the resizing inside, rounded or not. Raises BadRequest."""
    made = {id(one): _looking(one, wanted, one.size) for one in (frozen, *(each.classifier for each in variants))}
    return [replace(one, classifier=made[id(one.classifier)]) for one in variants], made[id(frozen)]


def _pairs(
    request: RunRequest, variants: tuple[Variant, ...], source: Variant | None
) -> tuple[tuple[Variant, Variant], ...]:
    """Pairs of the variant that is evaluated and the variant that the attack is computed on."""
    if source is not None:
        return tuple((judge, source) for judge in variants)
    if request.matrix:
        return tuple((judge, source) for source in variants for judge in variants)
    on = {"each": None, "a": variants[0], "b": variants[-1]}[request.options.aim]
    return tuple((judge, on or judge) for judge in variants)


def _planned(label: str, spec: AttackSpec, wanted: ThreatModel, threat: Threat) -> PlannedAttack:
    """An attack at one budget, with what truly binds it: the ball, or the attack's own budget. Raises BadRequest."""
    attack = build(ATTACKS[spec.name], spec.values)
    check_fits(attack, threat)
    own = attack.budget
    known = KNOWING[attack.knowledge]
    return PlannedAttack(label, spec, attack, replace(wanted, eps=threat.eps, budget=own, knowledge=known), threat)


def _most_known(planned_attacks: Sequence[PlannedAttack], source: Variant | None) -> str:
    """The knowledge of the best informed of the attacks; "" for none."""
    if source is not None and planned_attacks:
        return carried_over(source.id)
    known = {planned.wanted.knowledge for planned in planned_attacks}
    return next((known_as for known_as in KNOWING.values() if known_as in known), "")


def carried_over(source: str) -> str:
    """Return the attacker's knowledge in a transfer attack as text: "transfer from" and the name of `source`.

    source: the id of the variant (a model with its prompts) that the attack was computed on.
    """
    return f"transfer from {source.removeprefix(OTHER_MODEL)}"


def _own_budgets(planned_attacks: Sequence[PlannedAttack]) -> str:
    """The budgets of attacks without a norm ball, in words; "" if all have one. Raises BadRequest for a mix of both."""
    own = dict.fromkeys(planned.wanted.budget for planned in planned_attacks)
    if "" not in own:
        if len({planned.wanted.eps for planned in planned_attacks}) > 1:
            raise BadRequest(
                f"{planned_attacks[0].attack.label} has a budget of its own; there is no curve of it over ε.",
                "Give one ε, or none.",
            )
        if len(own) > _LISTED:
            return f"{len(own)} corruptions, each at its own severity"
        return "; ".join(own)
    free = [planned.attack.label for planned in planned_attacks if planned.wanted.budget]
    if free:
        raise BadRequest(
            f"{free[0]} has a budget of its own; its figure cannot be the worst case with attacks inside a ball of radius ε.",
            "Evaluate it in a run of its own.",
        )
    return ""
