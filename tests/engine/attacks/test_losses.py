"""The losses against their formulas, written out."""

from __future__ import annotations

import math

import pytest
import torch

from capt_engine.attacks.losses import LOSSES, adversarial_margin, cross_entropy, dlr, loss_notes, targeted_dlr

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.0, 3.0, 3.0], [-4.0, -4.5, 1.0]])
LABELS = torch.tensor([0, 2, 0])


def test_cross_entropy_is_the_negative_log_of_the_probability() -> None:
    """−log of the label's share of the exponentials, one number a picture."""
    expected = [
        -math.log(math.exp(row[label]) / sum(math.exp(logit) for logit in row))
        for row, label in zip(LOGITS.tolist(), LABELS.tolist(), strict=True)
    ]
    torch.testing.assert_close(cross_entropy(LOGITS, LABELS), torch.tensor(expected))


def test_margin_is_the_best_other_minus_the_label() -> None:
    """Negative while the label wins, zero at a tie, positive once it has lost."""
    assert adversarial_margin(LOGITS, LABELS).tolist() == [-1.5, 0.0, 5.0]


def test_margin_ignores_the_order_of_the_other_classes() -> None:
    """Renaming classes renames nothing in the result."""
    order = torch.tensor([2, 0, 1])
    moved = torch.tensor([order.tolist().index(label) for label in LABELS.tolist()])
    assert torch.equal(adversarial_margin(LOGITS[:, order], moved), adversarial_margin(LOGITS, LABELS))


@pytest.mark.parametrize("name", ["cross-entropy", "margin"])
def test_every_plain_loss_grows_as_the_label_falls(name: str) -> None:
    """Its gradient is negative at the label's logit and nowhere else, for each picture by itself."""
    logits = LOGITS.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(LOSSES[name](logits, LABELS).sum(), logits)
    at_label = gradient.gather(1, LABELS[:, None])
    assert (at_label < 0).all()
    assert (gradient.scatter(1, LABELS[:, None], 0.0) >= 0).all()
    torch.testing.assert_close(gradient.sum(dim=1), torch.zeros(3), atol=1e-6, rtol=0)


@pytest.mark.parametrize("gap", [5.0, 18.0, 40.0])
def test_cross_entropy_keeps_its_gradient_where_the_model_is_sure(gap: float) -> None:
    """A label ahead by many logits still falls as fast as the others rise together: p − 1 in fp32 would give it no gradient at all."""
    logits = torch.tensor([[gap, 0.0, -1.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(cross_entropy(logits, torch.tensor([0])).sum(), logits)
    others = [math.exp(-gap), math.exp(-gap - 1)]
    expected = torch.tensor([[-sum(others), *others]]) / (1 + sum(others))
    torch.testing.assert_close(gradient / sum(others), expected / sum(others), rtol=1e-5, atol=1e-5)


def test_dlr_is_the_margin_over_the_lead_on_the_third() -> None:
    """(best other − label) / (first − third), written out."""
    torch.testing.assert_close(dlr(LOGITS, LABELS), torch.tensor([-1.5 / 3, 0.0, 5 / 5.5]))


def test_targeted_dlr_is_the_way_to_the_target_over_the_lead_on_third_and_fourth() -> None:
    """(target − label) / (first − (third + fourth) / 2), written out."""
    logits = torch.tensor([[2.0, 0.5, -1.0, -3.0], [0.0, 3.0, 3.0, 9.0]])
    found = targeted_dlr(logits, torch.tensor([0, 2]), torch.tensor([1, 0]))
    torch.testing.assert_close(found, torch.tensor([-1.5 / 4, -3 / 7.5]))


@pytest.mark.parametrize("classes", [3, 4, 1000])
def test_neither_scale_nor_shift_of_the_logits_changes_the_dlr_losses(classes: int) -> None:
    """So a model cannot hide behind large logits, as it can from the cross-entropy."""
    logits = torch.randn((5, classes), generator=torch.Generator().manual_seed(1)).double()
    labels, targets = torch.arange(5) % classes, (torch.arange(5) + 1) % classes
    for scale, shift in ((1000.0, 0.0), (0.001, 0.0), (1.0, 50.0)):
        torch.testing.assert_close(dlr(logits * scale + shift, labels), dlr(logits, labels))
        if classes > 3:
            found = targeted_dlr(logits * scale + shift, labels, targets)
            torch.testing.assert_close(found, targeted_dlr(logits, labels, targets))


def test_with_too_few_classes_the_dlr_losses_are_margins_and_it_is_said() -> None:
    """Two classes for the plain one, three for the targeted one; the notes name the number."""
    two = torch.tensor([[1.0, 3.0], [5.0, -2.0]])
    assert torch.equal(dlr(two, torch.tensor([0, 0])), adversarial_margin(two, torch.tensor([0, 0])))
    assert targeted_dlr(LOGITS, LABELS, torch.tensor([1, 1, 2])).tolist() == [-1.5, 0.0, 5.0]
    assert "2" in loss_notes("dlr", 2)[0]
    assert not loss_notes("dlr", 3)
    assert not loss_notes("cross-entropy", 2)


@pytest.mark.parametrize("name", list(LOSSES))
def test_level_logits_give_a_finite_gradient(name: str) -> None:
    """Where all classes are level the ratio has no meaning, but nothing becomes NaN or infinite."""
    logits = torch.zeros((2, 5), requires_grad=True)
    (gradient,) = torch.autograd.grad(LOSSES[name](logits, torch.tensor([0, 4])).sum(), logits)
    assert gradient.isfinite().all()
    targets = torch.tensor([1, 1])
    (gradient,) = torch.autograd.grad(targeted_dlr(logits, torch.tensor([0, 4]), targets).sum(), logits)
    assert gradient.isfinite().all()
