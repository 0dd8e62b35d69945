"""Suites: every attack in them exists, later attacks see only what is left, and 2, 3 and 1,000 classes are all the same to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import NORMS, Threat, check_fits
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.checks import live_checks, some_of
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import no_progress
from capt_engine.records import (
    SUITES,
    AnalyzeResult,
    AttackSpec,
    EvaluateRequest,
    PictureRow,
    Suite,
    ThreatModel,
    labels,
)
from capt_engine.registry import build
from tests.engine.settings import changed

BRIEF = (("steps", 2), ("queries", 8), ("targets", 2))
WORST = next(one for one in SUITES if one.name == "worst-case")
ALL = [(one, norm) for one in SUITES for norm in NORMS.names()]


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Six pictures of noise, labelled 0 and 1 in turn."""
    stream = np.random.default_rng(1)
    found = []
    for i in range(6):
        Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        found.append(Item(str(tmp_path / f"{i}.png"), i % 2))
    return found


def evaluated(
    request: EvaluateRequest, models: Sequence[Classifier], items: Sequence[Item]
) -> tuple[AnalyzeResult, list[PictureRow]]:
    """A result and its rows, by models called a, b, c."""
    variants = [Variant(name, model) for name, model in zip("abc", models, strict=False)]
    rows: list[Any] = []
    work = plan_evaluation(request, variants, models[0], "folder")
    return evaluate(work, items, rows.extend, no_progress), rows


def asking(**more: Any) -> EvaluateRequest:
    """An evaluation of a suite, cut short."""
    given = {"suite": "quick", "attacks": (), "shared_values": BRIEF[:1], "skip_broken": True, "checks": "off", **more}
    return changed(EvaluateRequest("somewhere"), **given)


@pytest.mark.parametrize(("suite", "norm"), ALL, ids=lambda one: getattr(one, "name", one))
@pytest.mark.parametrize("targeted", [False, True])
def test_every_attack_of_a_suite_is_there_and_fits(suite: Suite, norm: str, targeted: bool) -> None:
    """Its name is in the table, its settings are known, it keeps to the norm, and with a target it can be told one."""
    specs = suite.of(norm, targeted=targeted)
    assert specs
    for spec in specs:
        check_fits(build(ATTACKS[spec.name], spec.values), Threat(NORMS[norm], 0.01, targeted))
    assert len(set(labels(specs))) == len(specs)


@pytest.mark.parametrize("norm", NORMS.names())
def test_the_worst_case_holds_every_white_box_attack_and_square(norm: str) -> None:
    """A new attack that follows gradients under a norm belongs into the worst case of that norm."""
    white = {one.name for one in ATTACKS if one.knowledge == "gradients" and norm in one.norms}
    found = [spec.name for spec in WORST.of(norm)]
    assert set(found) == white | {"square"}
    assert {spec.name for spec in WORST.of(norm, targeted=True)} == {
        name for name in found if not ATTACKS[name].untargeted_only
    }


@pytest.mark.parametrize("k", [2, 3, 1000])
@pytest.mark.parametrize("suite", [one.name for one in SUITES if one.adversarial])
def test_any_number_of_classes(suite: str, k: int, items: list[Item], tiny_classifier: Classifier) -> None:
    """Two, three or a thousand: rows for every picture and attack, an answer, and what was done otherwise for few classes is said."""
    model = Classifier(tiny_classifier.backbone, [f"thing {i}" for i in range(k)], "a photo of {}.")
    result, rows = evaluated(
        asking(suite=suite, shared_values=BRIEF if suite != "quick" else BRIEF[:1]), [model], items
    )
    assert len(rows) == 6 * len(asking(suite=suite).all_attacks)
    assert result.robust_accuracy is not None
    assert (result.n, result.classes) == (6, k)
    assert k > 3 or suite == "quick" or result.notes


def test_later_attacks_see_only_what_is_left(items: list[Item], tiny_classifier: Classifier) -> None:
    """A picture is attacked until it breaks; one that was wrong is not attacked at all; the row says why, and it counts as lost."""
    threat = ThreatModel(eps=2 / 255)
    result, rows = evaluated(asking(suite="standard", shared_values=BRIEF, threat=threat), [tiny_classifier], items)
    by_picture: dict[str, list[PictureRow]] = {}
    for row in rows:
        by_picture.setdefault(row.path, []).append(row)
    assert all(
        [row.attack.name for row in some if row.attack] == ["apgd-ce", "apgd-t", "square"]
        for some in by_picture.values()
    )
    lost = 0
    for some in by_picture.values():
        standing = some[0].classes[some[0].clean.winner] == some[0].label
        why = "" if standing else "wrong before"
        for row in some:
            assert row.skipped == why
            assert (row.attacked is None) == bool(why) == (row.success is None)
            if row.success:
                why = f"broken by {row.attack.name}"  # type: ignore[union-attr]
        lost += bool(why)
    assert result.robust_accuracy == (6 - lost) / 6
    counts = Counter((row.attack.name, bool(row.skipped)) for row in rows if row.attack)
    assert {one.name: (one.n, one.skipped) for one in result.attacks} == {
        name: (counts[name, False], counts[name, True]) for name in ("apgd-ce", "apgd-t", "square")
    }


def test_survivors_only_is_no_other_answer(items: list[Item], tiny_classifier: Classifier) -> None:
    """Leaving out what is broken already changes no picture's fate, only the work."""
    threat = ThreatModel(eps=1 / 255)
    some = asking(suite="standard", shared_values=BRIEF, threat=threat)
    left, rows = evaluated(some, [tiny_classifier], items)
    whole, all_rows = evaluated(replace(some, skip_broken=False), [tiny_classifier], items)
    assert left.robust_accuracy == whole.robust_accuracy
    assert [one.robust_correct for one in left.per_class] == [one.robust_correct for one in whole.per_class]
    assert any(row.skipped for row in rows)
    assert not any(row.skipped for row in all_rows)


def test_a_curve_until_chance_is_cheap_and_ends_at_nothing(items: list[Item], tiny_classifier: Classifier) -> None:
    """What broke at one budget is not attacked at larger ones and stays lost; the verdict is about the budget asked for."""
    curve = (0.0, 1 / 255, 4 / 255, 0.5)
    request = asking(curve=curve, until_chance=True, threat=ThreatModel(eps=1 / 255))
    result, rows = evaluated(request, [tiny_classifier], items)
    assert [point.eps for point in result.curve] == list(curve)
    assert result.curve[0].robust_accuracy == result.clean_accuracy
    assert result.curve[-1].robust_accuracy == 0
    assert result.threat_model.eps == 1 / 255
    assert result.robust_accuracy == result.curve[1].robust_accuracy
    broken: set[str] = set()
    for row in sorted(rows, key=lambda row: row.threat.eps):
        assert not (row.path in broken and row.attacked is not None)
        if row.success:
            broken.add(row.path)


def test_a_matrix_shows_everyone_what_was_computed_on_everyone(items: list[Item], tiny_classifier: Classifier) -> None:
    """Nine rows a picture for three models; the diagonal is each one's own figure; knowledge says from whom a picture was carried over."""
    models = [
        Classifier(tiny_classifier.backbone, tiny_classifier.classes, f"{word} {{}}.") for word in ("a", "my", "no")
    ]
    request = asking(suite="", attacks=(AttackSpec("pgd", (("steps", 2),)),), matrix=("a", "b", "c"), shared_values=())
    result, rows = evaluated(request, models, items)
    assert Counter((row.aimed_at, row.prompt_id) for row in rows) == {(on, by): 6 for on in "abc" for by in "abc"}
    cells = {(one.aimed_at, one.prompts): one for one in result.matrix}
    assert set(cells) == {(on, by) for on in ("", *"abc") for by in "abc"}
    assert result.robust_accuracy == cells["a", "a"].kept / 6
    for row in rows:
        assert row.threat.knowledge == (
            "white-box" if row.aimed_at == row.prompt_id else f"transfer from {row.aimed_at}"
        )
    kept = sum(
        row.prompt_id == "b" and row.aimed_at == "a" and row.classes[row.attacked.winner] == row.label
        for row in rows
        if row.attacked
    )
    assert (cells["a", "b"].kept, cells["a", "b"].n) == (
        kept,
        sum(row.prompt_id == "b" and row.aimed_at == "a" for row in rows),
    )


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"suite": "best"}, UnknownName),
        ({"shared_values": (("stepps", 3),)}, UnknownName),
        ({"checks": "some"}, UnknownName),
        ({"minimal_eps": 7.0}, BadRequest),
        ({"threat": ThreatModel(perturb="elsewhere")}, UnknownName),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    more: dict[str, Any], kind: type[Exception], tiny_classifier: Classifier
) -> None:
    """Before any picture is read."""
    with pytest.raises(kind):
        plan_evaluation(asking(**more), [Variant("a", tiny_classifier)], tiny_classifier, "folder")


class Cramped(Classifier):
    """A classifier on a device that holds only so many pictures at a time."""

    room = 2

    def forward(self, images: Tensor) -> Output:
        """As ever, if there is room."""
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().forward(images)


def test_checks_make_do_with_little_room(
    items: list[Item], tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch too large for the memory is no end of a run whose rows are done: fewer at a time, or the checks were not run."""
    cramped = Cramped(tiny_classifier.backbone, tiny_classifier.classes, tiny_classifier.template)
    request = asking(checks="cheap")
    result, rows = evaluated(request, [cramped], items)
    assert len(rows) == 12
    assert {one.status for one in result.checks if one.name in ("deterministic", "pixels", "logits")} == {"pass"}
    work = plan_evaluation(request, [Variant("a", cramped)], cramped, "folder")
    monkeypatch.setattr(Cramped, "room", 0)
    told = live_checks(work, some_of(work, items), no_progress)
    assert {one.status for one in told} == {"not_run"}
    assert "no room" in told[0].message
