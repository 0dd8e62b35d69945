"""The questions of a plan as the result store knows them: each is the digest of all that its answer depends on (decision 20)."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import Attack, Threat
from capt_engine.evaluation.code_digest import code_digest
from capt_engine.evaluation.identity import identity
from capt_engine.evaluation.plan import Plan, PlannedAttack
from capt_engine.metrics import METRICS
from capt_engine.model.classifier import Classifier
from capt_engine.model.devices import name_of
from capt_engine.model.numerics import accelerator_facts, switches
from capt_engine.plugins import Plugin
from capt_engine.results import cells
from capt_engine.results.keys import digest_of
from capt_engine.results.store import Question
from capt_engine.runs.versions import processor, version

_LIBRARIES = ("torch", "torchvision", "open_clip_torch", "numpy", "Pillow")
_DECODERS = ("Pillow", "numpy", "pillow-heif")

Key = tuple[str, str, int]
"""The id of the prompts that answer, the id of the model that an attack was computed on, and the place of the attack in the plan."""


@dataclasses.dataclass(frozen=True)
class Questions:
    """The questions of a plan.

    Attributes:
        photo: the facts of a picture file; seen: its pixels as the model sees them.
        clean: the answer to a clean picture, by the id of a variant; frozen: that of the zero-shot model.
        attacked, pixels: the answer to an attacked picture, and the picture, by their key; of a picture the answering prompts are "".
        smallest: the smallest budget that breaks a picture, by the id of a variant.
        checks: the checks of a variant, by its id; empty where a model beside it has no identity.
    """

    photo: Question
    seen: Question
    clean: Mapping[str, Question]
    frozen: Question
    attacked: Mapping[Key, Question]
    pixels: Mapping[Key, Question]
    smallest: Mapping[str, Question]
    checks: Mapping[str, Question]

    @functools.cached_property
    def of_file(self) -> tuple[bytes, ...]:
        """Return the digests of the questions that a picture answers whatever is said to be right of it, without pixels."""
        return tuple(one.digest for one in (self.photo, self.frozen, *self.clean.values()))

    @functools.cached_property
    def of_label(self) -> tuple[bytes, ...]:
        """Return the digests of the questions whose answer depends on the label and the target too, without pixels."""
        return tuple(one.digest for one in (*self.attacked.values(), *self.smallest.values()))


def questions_of(plan: Plan, *, may_change: bool = False) -> Questions | None:
    """Return the questions of `plan`; None where a model has no identity, so that nothing can be stored.

    may_change: the models are in the hands of a program that may change them.
    """
    variants = {one.id: one for one in (*plan.variants, *plan.sources)}
    found = {name: identity(one.classifier, may_change=may_change) for name, one in variants.items()}
    frozen = identity(plan.frozen, may_change=may_change)
    known = {name: one for name, one in found.items() if one is not None}
    if frozen is None or len(known) < len(found):
        return None
    where = _where(plan.classifier)
    decoding = digest_of(code_digest(), _versions(_DECODERS)).hex()
    weights = {name: one.classifier.sha256 for name, one in variants.items()}
    view = {name: str(value) for name, value in plan.classifier.backbone.preprocessing.items()}
    photo = _question(cells.PHOTO, decoding)
    seen = _question(cells.SEEN, where, decoding, view, plan.classifier.size, plan.threat.perturb)
    clean = {name: _question(cells.CLEAN, where, decoding, one, model=weights[name]) for name, one in known.items()}
    pixels: dict[Key, Question] = {}
    attacked: dict[Key, Question] = {}
    for at, planned in enumerate(plan.planned_attacks):
        eps, computing = (
            planned.threat.eps,
            (where, decoding, _attack(planned.attack), _threat(planned.threat), plan.seed),
        )
        for source in plan.sources:
            of_pixels = ("pixels", *computing, known[source.id])
            pixels["", source.id, at] = _at(cells.PIXELS, of_pixels, eps, weights[source.id], planned)
        for judge, source in plan.pairs:
            measuring = (
                known[judge.id],
                known[source.id],
                frozen,
                dataclasses.asdict(judge.alpha),
                _metrics(plan),
                plan.saved_every,
                plan.is_table,
            )
            parts = clean[judge.id].digest + seen.digest + pixels["", source.id, at].digest
            attacked[judge.id, source.id, at] = _at(
                cells.ATTACKED, ("attacked", *computing, *measuring), eps, weights[judge.id], planned, parts
            )
    return Questions(
        photo=photo,
        seen=seen,
        clean=clean,
        frozen=_question(cells.CLEAN, where, decoding, frozen, model=plan.frozen.sha256),
        attacked=attacked,
        pixels=pixels,
        smallest=_smallest(plan, known, (where, decoding), attacked),
        checks=_checks(plan, known, frozen, (where, decoding), may_change=may_change),
    )


def _smallest(
    plan: Plan, known: Mapping[str, str], common: tuple[object, ...], attacked: Mapping[Key, Question]
) -> dict[str, Question]:
    if plan.searching is None:
        return {}
    at = next(i for i, one in enumerate(plan.planned_attacks) if one.threat.eps == plan.threat.eps)
    threat = plan.planned_attacks[at].threat
    found = {}
    for one in plan.variants:
        digest = digest_of(
            "smallest",
            common,
            known[one.id],
            _attack(plan.searching),
            _threat(threat),
            threat.eps,
            plan.seed,
            plan.minimal_eps,
        )
        beside = attacked.get((one.id, one.id, at))
        series = digest if beside is None else beside.series
        found[one.id] = Question(digest, series, cells.SMALLEST, one.classifier.sha256, plan.searching.name)
    return found


def _checks(
    plan: Plan, known: Mapping[str, str], frozen: str, common: tuple[object, ...], *, may_change: bool
) -> dict[str, Question]:
    baseline = None if plan.baseline is None else identity(plan.baseline, may_change=may_change)
    if plan.baseline is not None and baseline is None:
        return {}
    beside = (frozen, baseline, None if plan.source is None else known[plan.source.id])
    threats = [(_threat(one.threat), one.threat.eps) for one in plan.planned_attacks]
    attack = None if plan.leading is None else _attack(plan.leading)
    asked = (common, beside, threats, plan.threat.eps, attack, plan.seed, plan.checks)
    return {one.id: _question(cells.CHECKS, known[one.id], asked, model=one.classifier.sha256) for one in plan.variants}


def _question(kind: str, *parts: object, model: str = "") -> Question:
    digest = digest_of(kind, *parts)
    return Question(digest, digest, kind, model)


def _at(
    kind: str, parts: tuple[object, ...], eps: float, model: str, planned: PlannedAttack, beside: bytes = b""
) -> Question:
    series = digest_of(*parts)
    return Question(digest_of(series.hex(), eps), series, kind, model, planned.spec.name, eps, beside)


def _where(model: Classifier) -> dict[str, object]:
    """All that rounding depends on: the code, the libraries, the device, torch's switches."""
    device = model.device
    return {
        "code": code_digest(),
        "versions": _versions(_LIBRARIES),
        "device": device.type,
        "name": name_of(device) or processor(),
        "switches": switches(),
        "accelerator": accelerator_facts(device),
    }


@functools.cache
def _versions(packages: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in packages)


def _attack(attack: Attack) -> dict[str, object]:
    settings = {one.name: getattr(attack, one.name) for one in dataclasses.fields(attack)}  # type: ignore[arg-type]
    return {"name": attack.name, "settings": settings, "plugin": _plugin_of(attack)}


def _threat(threat: Threat) -> tuple[object, ...]:
    """A threat model without its ε."""
    return threat.norm.name, threat.targeted, threat.eight_bits


def _metrics(plan: Plan) -> dict[str, object]:
    added = [_of_plugin(one) for one in METRICS.plugins() if not one.problem]
    return {
        "names": METRICS.names(),
        "plugins": added,
        "lpips": None if plan.lpips is None else dict(plan.lpips.facts),
    }


def _of_plugin(one: Plugin) -> tuple[str, str, str, str]:
    """A plug-in by its package, version and the source of its module, which may change without a new version."""
    try:
        file = sys.modules[one.module.partition(":")[0]].__file__ or ""
        source = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except (KeyError, OSError):
        source = ""
    return one.name, one.package, one.version, source


def _plugin_of(attack: Attack) -> object:
    """The plug-in that an attack came from; None for one of ours."""
    if attack.name in ATTACKS.own_names():
        return None
    return next(_of_plugin(one) for one in ATTACKS.plugins() if one.name == attack.name)
