"""Rounding as a part of the threat model: what counts is a picture as a file holds it, and the attack knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs, Threat
from capt_engine.attacks.patch import Patch
from capt_engine.attacks.pgd import PGD
from capt_engine.data.labelled_set import Item
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress
from capt_engine.records import AttackSpec, EvaluateRequest, PictureRow, RunOptions, ThreatModel
from capt_engine.wrappers.quantized import Quantized, run_attack

# What a sound model passes whatever is rounded.
SOUND = ("budget-kept", "loss-rises", "deterministic", "normalised")
BUDGETS = {"linf": (0.0, 0.4 / 255, 1 / 255, 1.5 / 255, 4 / 255, 0.5), "l2": (0.0, 0.01, 0.3, 1.0, 7.0)}


def levels(images: Tensor) -> Tensor:
    """Pixels as whole numbers, which they must be to a hair."""
    whole = (images.double() * 255).round()
    assert (images.double() * 255 - whole).abs().max() < 1e-4
    return whole


def pictures(n: int, size: int = 24, seed: int = 0) -> Tensor:
    """Pictures of 8-bit values, (n, 3, size, size)."""
    stream = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, size, size), generator=stream).float() / 255


@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_whole_changes_stay_in_the_ball(norm: Norm) -> None:
    """Whatever the budget; and no value is moved by a whole step more than rounding would."""
    for eps in BUDGETS[norm.name]:
        delta = norm.project(torch.randn((6, 3, 9, 9), generator=torch.Generator().manual_seed(1)), eps)
        found = norm.quantize(delta, eps)
        moved = levels(found)
        reach = moved.abs().amax(dim=(1, 2, 3)) if norm is LINF else moved.square().sum(dim=(1, 2, 3)).sqrt()
        assert (reach <= eps * 255 + 1e-6).all()
        assert ((found - delta).abs() < 1 / 255 + 1e-6).all()


def test_no_more_is_taken_back_than_has_to_be() -> None:
    """Under L2: with the last rounding outwards put back, the ball would be left again."""
    delta = torch.full((1, 1, 1, 10), 0.6 / 255)
    eps = float(L2.norm(delta)[0])
    # Ten values of 0.6: three ones are of length √3 < 0.6 √10 < √4.
    assert int(levels(L2.quantize(delta, eps)).sum()) == 3


def test_a_length_of_exactly_the_budget_is_kept() -> None:
    """Four whole steps of 3/255 are 6/255 long, and fit into a ball of 6/255."""
    delta = torch.full((1, 1, 2, 2), 3 / 255)
    assert torch.equal(levels(L2.quantize(delta, 6 / 255)), torch.full((1, 1, 2, 2), 3.0, dtype=torch.float64))


def test_what_a_file_holds_is_seen_as_it_is(tiny_classifier: Classifier) -> None:
    """Bit for bit, with and without a gradient; and the gradient is that at the rounded picture."""
    model, images = Quantized(tiny_classifier), pictures(3)
    assert torch.equal(model(images), tiny_classifier(images))
    between = (images + 0.3 / 255).clamp(0, 1).requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(between)[:, 0].sum(), between)
    rounded = images.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(tiny_classifier(rounded)[:, 0].sum(), rounded)
    assert torch.equal(gradient, expected)


@pytest.mark.parametrize(("norm", "eps"), [(LINF, 4 / 255), (LINF, 1.5 / 255), (L2, 0.7)], ids=["linf", "odd", "l2"])
def test_what_is_crafted_is_a_file_inside_the_ball(tiny_classifier: Classifier, norm: Norm, eps: float) -> None:
    """Values k/255 to the last bit, so that reading the saved file gives the same tensor."""
    images = pictures(4)
    labels = tiny_classifier(images).argmax(dim=1)
    threat = Threat(norm, eps, eight_bits=True)
    rngs = PictureRngs.of(0, ["a", "b", "c", "d"])
    found = run_attack(PGD(steps=4), Quantized(tiny_classifier), images, labels, threat, rngs, no_progress)
    assert torch.equal(found, levels(found).to(torch.uint8).float() / 255)
    assert (norm.norm(found - images) <= eps * (1 + 1e-5) + 1e-7).all()
    assert not torch.equal(found, images)


def test_own_budgets_are_rounded_too(tiny_classifier: Classifier) -> None:
    """A patch has no ball to stay in, but is a file as well."""
    images = pictures(2)
    labels = tiny_classifier(images).argmax(dim=1)
    threat = Threat(LINF, 4 / 255, eight_bits=True)
    found = run_attack(
        Patch(steps=2), tiny_classifier, images, labels, threat, PictureRngs.of(0, ["a", "b"]), no_progress
    )
    levels(found)


def rows_under(tmp_path: Path, classifier: Classifier, threat: ThreatModel, minimal_eps: float = 0.0) -> list[Any]:
    """Rows under PGD of those eight of 4,000 pictures of noise whose answers hang by the least."""
    noise = np.random.default_rng(3).integers(0, 256, (4000, 24, 24, 3), dtype=np.uint8)
    with torch.no_grad():
        logits = classifier(torch.stack([classifier.backbone.view(Image.fromarray(one)) for one in noise]))
    best, second = logits.topk(2, dim=1).values.T
    items = []
    for i in (best - second).argsort()[:8].tolist():
        Image.fromarray(noise[i]).save(tmp_path / f"{i}.png")
        items.append(Item(str(tmp_path / f"{i}.png"), int(logits[i].argmax())))
    request = EvaluateRequest(
        "d", attacks=(AttackSpec("pgd"),), minimal_eps=minimal_eps, options=RunOptions(threat=threat)
    )
    work = plan_evaluation(request, [Variant("none", classifier)], classifier, "folder")
    rows: list[Any] = []
    result = evaluate(work, items, rows.extend, no_progress)
    sound = [one.status for one in result.checks if one.name in SOUND]
    assert sound == ["pass"] * len(SOUND)
    assert result.threat_model.rounding == threat.rounding
    return rows


@pytest.mark.parametrize(("eps", "some"), [(0.45 / 255, False), (1.5 / 255, True)], ids=["below", "above"])
def test_a_success_in_eight_bits_is_one_in_the_file(
    eps: float, some: bool, tmp_path: Path, tiny_classifier: Classifier
) -> None:
    """Below half a step of 8 bits an attack succeeds at full precision only; where it rounds, every success survives a PNG."""
    survived = {}
    for rounding in ("none", "8-bit"):
        rows = rows_under(tmp_path, tiny_classifier, ThreatModel(eps=eps, rounding=rounding))
        survived[rounding] = {row.survives_png for row in rows if row.success}
    assert False in survived["none"] or some
    assert survived["8-bit"] == ({True} if some else set())


def test_the_smallest_budget_is_one_for_files(tmp_path: Path, tiny_classifier: Classifier) -> None:
    """It is never below the shortest change that 8 bits can express."""
    for row in rows_under(tmp_path, tiny_classifier, ThreatModel(eps=2 / 255, rounding="8-bit"), minimal_eps=0.2):
        assert isinstance(row, PictureRow)
        assert row.minimal_eps is not None
        assert row.minimal_eps >= 1 / 255
