"""Auto-PGD and its targeted form against the paper and against what can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.apgd import APGD, APGDCE, APGDDLR, APGDT, APGDMargin, checkpoints
from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs, Threat
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.attacks.pgd import PGD
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]
KINDS: list[type[APGD] | type[APGDT]] = [APGDCE, APGDMargin, APGDDLR, APGDT]


def linear(k: int, size: int = 4) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Weights (k, 3 · size²) and the model whose logits are their products with the pixels."""
    weights = torch.randn((k, 3 * size * size), generator=torch.Generator().manual_seed(3))
    return weights, lambda images: images.flatten(1) @ weights.T


def attacked_by(
    attack: APGD | APGDT | PGD, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, threat: Threat
) -> Tensor:
    """The attack with one stream a picture."""
    return attack.run(
        model, images, labels, threat, PictureRngs.of(0, [str(i) for i in range(len(images))]), no_progress
    )


def test_checkpoints_are_those_of_the_paper() -> None:
    """For 100 steps: after 22, then 19, 16, 13, 10, 7 more, and every 6 from there on."""
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert checkpoints(1) == [1]
    for steps in (2, 3, 10, 1000):
        found = checkpoints(steps)
        assert found == sorted(set(found))
        assert found[-1] <= steps


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
@pytest.mark.parametrize("k", [2, 3, 6])
def test_breaks_a_linear_model_as_soon_as_that_can_be_done(kind: type[APGD] | type[APGDT], norm: Norm, k: int) -> None:
    """The nearest class is its margin over the dual norm of the weights apart away: found with 1 % more than that, with 1 % less not."""
    weights, model = linear(k)
    for image in torch.rand((4, 1, 3, 4, 4), generator=torch.Generator().manual_seed(5)) * 0.2 + 0.4:
        with torch.no_grad():
            logits = model(image)
        label = logits.argmax(dim=1)
        apart = (weights - weights[label]).abs()
        dual = apart.sum(dim=1) if norm is LINF else apart.norm(dim=1)
        nearest = ((logits[0, label] - logits[0]) / dual.clamp_min(1e-9)).scatter(0, label, torch.inf).amin()
        for share, broken in ((0.99, False), (1.01, True)):
            attacked = attacked_by(kind(steps=40), model, image, label, Threat(norm, share * float(nearest)))
            assert bool(model(attacked).argmax(dim=1) != label) == broken


def test_the_first_step_crosses_the_ball_and_later_ones_shrink() -> None:
    """Step size 2 eps at first; where the loss swings to and fro it is halved at the checkpoints, and the loss ends lower than PGD's."""
    images = torch.full((1, 3, 4, 4), 0.5)
    labels = torch.zeros(1, dtype=torch.long)
    peak = images + 0.0371

    def model(pictures: Tensor) -> Tensor:
        far = (pictures - peak).flatten(1).square().sum(dim=1)
        return torch.stack([1e3 * far, torch.zeros_like(far)], dim=1)

    seen: list[Tensor] = []

    def watched(pictures: Tensor) -> Tensor:
        seen.append(pictures.detach())
        return model(pictures)

    found = attacked_by(APGDMargin(steps=100), watched, images, labels, Threat(LINF, 0.1))
    plain = attacked_by(PGD(steps=100, loss="margin"), model, images, labels, Threat(LINF, 0.1))
    assert (seen[2] - seen[1]).abs().max() > 0.05
    assert (seen[-1] - seen[-2]).abs().max() < 0.005
    assert (found - peak).abs().max() < 0.002
    assert adversarial_margin(model(found), labels) > adversarial_margin(model(plain), labels)


@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_at_least_as_strong_as_pgd_at_equal_steps(tiny_classifier: Classifier, pixels: Pixels, norm: Norm) -> None:
    """On 40 pictures none of the four leaves more of them right than PGD with as many steps, give or take one picture."""
    images = pixels(40)
    with torch.no_grad():
        labels = tiny_classifier(images).argmax(dim=1)
    threat = Threat(norm, {"linf": 8 / 255, "l2": 0.8}[norm.name])

    def right(attack: APGD | APGDT | PGD) -> int:
        with torch.no_grad():
            answers = tiny_classifier(attacked_by(attack, tiny_classifier, images, labels, threat)).argmax(dim=1)
        return int((answers == labels).sum())

    plain = right(PGD(steps=20))
    assert 4 <= plain <= 36, "the test would show little"
    for kind in KINDS:
        assert right(kind(steps=20)) <= plain + 1, kind.name
    assert right(APGDT(steps=20)) <= plain


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("k", [2, 3, 1000])
def test_any_number_of_classes_will_do(kind: type[APGD] | type[APGDT], k: int) -> None:
    """With 2, 3 and 1,000 classes it runs, breaks what can be broken, and stays finite."""
    _, model = linear(k)
    images = torch.rand((5, 3, 4, 4), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        labels = model(images).argmax(dim=1)
    attacked = attacked_by(kind(steps=10), model, images, labels, Threat(LINF, 0.5))
    assert attacked.isfinite().all()
    assert (model(attacked).argmax(dim=1) != labels).all()


def test_too_few_classes_are_spoken_of() -> None:
    """Plain DLR says so below three classes, the targeted one below four; both are silent where all is as its name says."""
    assert "margin" in APGDDLR().notes(2)[0]
    assert APGDDLR().notes(3) == ()
    assert APGDCE().notes(2) == ()
    assert any("margin" in note for note in APGDT().notes(3))
    assert not any("margin" in note for note in APGDT().notes(4))
    assert "are 3 targets" in APGDT().notes(4)[0]
    assert "is 1 target" in APGDT().notes(2)[1]
    assert APGDT().notes(10) == ()


def test_the_targeted_form_takes_no_target() -> None:
    """It chooses its targets itself, and says which attack to take instead."""
    _, model = linear(4)
    images = torch.full((1, 3, 4, 4), 0.5)
    with pytest.raises(BadRequest, match="cannot aim"):
        attacked_by(APGDT(), model, images, torch.zeros(1, dtype=torch.long), Threat(L2, 1.0, targeted=True))


def test_a_second_target_is_tried_where_the_likeliest_is_out_of_reach() -> None:
    """The runner-up stands still whatever the picture; only the class behind it can be brought forward."""
    images, labels = torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, dtype=torch.long)

    def model(pictures: Tensor) -> Tensor:
        up = (pictures - 0.5).flatten(1).mean(dim=1)
        return torch.stack([up * 0 + 1, up * 0 + 0.9, 20 * up], dim=1)

    answers = [
        int(model(attacked_by(APGDT(steps=6, targets=n), model, images, labels, Threat(LINF, 0.1))).argmax())
        for n in (1, 2)
    ]
    assert answers == [0, 2]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_stopping_at_success_fools_the_same_pictures(
    tiny_classifier: Classifier, pixels: Pixels, kind: type[APGD] | type[APGDT]
) -> None:
    """Pictures that leave once fooled are exactly those that the whole attack fools, and the model is asked less."""
    images = pixels(24)
    with torch.no_grad():
        labels = tiny_classifier(images).argmax(dim=1)
    labels[:3] = (labels[:3] + 1) % 7
    asked: list[int] = []

    def model(pictures: Tensor) -> Tensor:
        asked[-1] += len(pictures)
        return tiny_classifier(pictures)

    fooled = []
    for stop_early in (False, True):
        asked.append(0)
        attack = kind(steps=8, restarts=2, stop_early=stop_early)
        attacked = attacked_by(attack, model, images, labels, Threat(LINF, 7 / 255))
        with torch.no_grad():
            fooled.append(tiny_classifier(attacked).argmax(dim=1) != labels)
    assert torch.equal(*fooled)
    assert 4 <= fooled[0].sum() <= 23, "the test would show little"
    assert asked[1] < asked[0]
    assert torch.equal(attacked[:3], images[:3])


def test_work_counts_the_passes() -> None:
    """One tick a forward pass: every ascent looks at its start and at the end of each step."""
    assert APGDCE(steps=7, restarts=3).work == 24
    assert APGDT(steps=7, restarts=3, targets=4).work == 96
