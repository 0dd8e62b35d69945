"""A request with every name resolved, before any picture is touched: whom to ask, how to attack, whom the attack is aimed at."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import NORMS, Attack, OwnBudget, Threat
from capt_engine.data.labelled import Item, LabelledSet
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.model.classifier import Classifier
from capt_engine.records import AIMS, AnalyzeRequest, AttackSpec, EvaluateRequest, ThreatModel
from capt_engine.registry import build

OWN_ANSWER = "model"
"""The label source where nobody gave labels: a picture's label is the model's own clean prediction."""

# Clean pass, survival twice, metrics and bookkeeping, in units of one attack step.
_OVERHEAD = 4


@dataclass(frozen=True)
class Contestant:
    """One model to be asked: the id of its prompts (NO_PROMPTS for plain text) and the classifier they make."""

    id: str
    classifier: Classifier
    sha256: str = ""


@dataclass(frozen=True)
class Assault:
    """One attack at one budget, as asked for and as built."""

    spec: AttackSpec
    attack: Attack
    wanted: ThreatModel
    threat: Threat


@dataclass(frozen=True)
class Plan:
    """Contestants (A, or A and B) × assaults, over one class list. frozen: the zero-shot model.

    target: index of the class the attacker wants, None for any wrong one. label_source: who says what is right.
    """

    contestants: tuple[Contestant, ...]
    frozen: Classifier
    assaults: tuple[Assault, ...]
    aim: str
    target: int | None
    threat: ThreatModel
    label_source: str
    model: str
    seed: int
    batch: int
    with_pictures: bool

    @property
    def classifier(self) -> Classifier:
        """A's; what holds of it (device, size, classes) holds of all."""
        return self.contestants[0].classifier

    @property
    def crafters(self) -> tuple[Contestant, ...]:
        """Those on whom attacks are computed."""
        if len(self.contestants) == 1:
            return self.contestants
        return {"each": self.contestants, "a": self.contestants[:1], "b": self.contestants[1:]}[self.aim]

    @property
    def units(self) -> int:
        """Units of work that one picture is."""
        work = sum(assault.attack.work for assault in self.assaults) * len(self.crafters)
        return _OVERHEAD * len(self.contestants) + work


def plan_analysis(request: AnalyzeRequest, contestants: Sequence[Contestant], frozen: Classifier) -> Plan:
    """Resolve an analysis of unlabelled pictures; raises BadRequest or UnknownName."""
    specs = (request.attack,) if request.attack is not None else ()
    return _plan(request, contestants, frozen, specs, (request.threat.eps,), OWN_ANSWER)


def plan_evaluation(
    request: EvaluateRequest, contestants: Sequence[Contestant], frozen: Classifier, label_source: str
) -> Plan:
    """Resolve an evaluation of labelled pictures; raises BadRequest or UnknownName."""
    return _plan(request, contestants, frozen, request.attacks, request.curve or (request.threat.eps,), label_source)


def _plan(
    request: AnalyzeRequest | EvaluateRequest,
    contestants: Sequence[Contestant],
    frozen: Classifier,
    specs: Sequence[AttackSpec],
    budgets: Sequence[float],
    label_source: str,
) -> Plan:
    wanted, classes = request.threat, contestants[0].classifier.classes
    norm = NORMS[wanted.norm]
    for eps in budgets:
        if not 0 <= eps <= norm.high_eps:
            raise BadRequest(
                f"A budget of {eps:g} makes no sense for {norm.name}.", f"Budgets go from 0 to {norm.high_eps:g}."
            )
    if request.batch < 0:
        raise BadRequest(f"A batch of {request.batch} pictures cannot be.", "Leave it at 0 to let the engine choose.")
    if request.aim not in AIMS:
        raise UnknownName("aim of the attack", request.aim, AIMS)
    names = [spec.name for spec in specs]
    if len(set(names)) < len(names):
        raise BadRequest("An attack was named twice.", "Name each attack once.")
    target = None
    if wanted.target is not None:
        if wanted.target not in classes:
            raise UnknownName("class", wanted.target, classes)
        target = classes.index(wanted.target)
    return Plan(
        contestants=tuple(contestants),
        frozen=frozen,
        assaults=tuple(
            _assault(spec, wanted, Threat(norm, eps, target is not None))
            for eps in sorted(set(budgets))
            for spec in specs
        ),
        aim=request.aim,
        target=target,
        threat=replace(wanted, eps=max(budgets)),
        label_source=label_source,
        model=request.model,
        seed=request.seed,
        batch=request.batch,
        with_pictures=request.with_pictures,
    )


def _assault(spec: AttackSpec, wanted: ThreatModel, threat: Threat) -> Assault:
    """An attack at one budget, with what truly binds it: the ball, or the attack's own budget. Raises BadRequest for a foreign norm."""
    attack = build(ATTACKS[spec.name], spec.values)
    if attack.norms and threat.norm.name not in attack.norms:
        known = " or ".join(attack.norms)
        raise BadRequest(f"{attack.label} does not keep to {threat.norm.name}.", f"Choose the norm {known} for it.")
    own = attack.budget if isinstance(attack, OwnBudget) else ""
    return Assault(spec, attack, replace(wanted, eps=threat.eps, budget=own), threat)


def chosen(data: LabelledSet, limit: int, shard: tuple[int, int], seed: int) -> tuple[Item, ...]:
    """The pictures of one shard: of every class at most its even share of `limit` (0: all), drawn by `seed`, in the set's order.

    Raises BadRequest for a shard or a limit that cannot be.
    """
    part, parts = shard
    if not 1 <= part <= parts:
        raise BadRequest(f"There is no part {part} of {parts}.", "Parts are counted from 1: --shard 1/4 … 4/4.")
    if limit < 0:
        raise BadRequest(f"A limit of {limit} pictures cannot be.", "Leave it out to take all.")
    items = list(enumerate(data.items))
    if limit and limit < len(items):
        items = sorted(_even(items, limit, random.Random(seed)))
    return tuple(item for number, (_, item) in enumerate(items) if number % parts == part - 1)


def _even(items: list[tuple[int, Item]], limit: int, rng: random.Random) -> list[tuple[int, Item]]:
    """Round after round one picture of every class, until there are `limit`; the last round's classes are drawn too."""
    by_label: dict[int, list[tuple[int, Item]]] = {}
    for entry in items:
        by_label.setdefault(entry[1].label, []).append(entry)
    for group in by_label.values():
        rng.shuffle(group)
    taken: list[tuple[int, Item]] = []
    while len(taken) < limit:
        some = [group.pop() for group in by_label.values() if group]
        if len(taken) + len(some) > limit:
            some = rng.sample(some, limit - len(taken))
        taken += some
    return taken
