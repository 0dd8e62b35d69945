"""An attack that is watched finds the very same pictures, and every step tells what it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.apgd import APGDCE, APGDT
from capt_engine.attacks.base import LINF, Attack, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.fgsm import FGSM
from capt_engine.attacks.gradients import value_and_grad
from capt_engine.attacks.losses import cross_entropy
from capt_engine.attacks.pgd import PGD
from capt_engine.attacks.trace import TraceStep, traced
from capt_engine.model.classifier import Classifier
from capt_engine.progress import Progress, no_progress

THREAT = Threat(LINF, 4 / 255)


def attack_of(attack: Attack, model: Classifier, images: Tensor) -> Callable[[Progress], Tensor]:
    """A function that runs an attack on the model's own answers."""
    with torch.no_grad():
        labels = model(images).argmax(dim=1)
    return lambda progress: attack.run(model, images, labels, THREAT, PictureRngs.of(0, ["a", "b"]), progress)


@pytest.mark.parametrize("attack", [FGSM(), PGD(steps=4, momentum=1.0), APGDCE(steps=4), APGDT(steps=3, targets=2)])
def test_watching_changes_no_bit(tiny_classifier: Classifier, pixels: Callable[..., Tensor], attack: Attack) -> None:
    """The pictures are equal bit for bit, and each step's margin is that of its picture."""
    images = pixels(2)
    run = attack_of(attack, tiny_classifier, images)
    steps: list[TraceStep] = []
    assert torch.equal(traced(run, no_progress, steps.append), run(no_progress))
    assert steps
    for step in steps:
        if len(step.pictures) == 2:
            with torch.no_grad():
                assert torch.allclose(tiny_classifier(step.pictures), step.logits, atol=1e-3)


def test_each_step_tells_name_loss_and_margin(tiny_classifier: Classifier, pixels: Callable[..., Tensor]) -> None:
    """Four steps of PGD and its start; the loss is the cross-entropy of the very logits."""
    images = pixels(2)
    steps: list[TraceStep] = []
    traced(attack_of(PGD(steps=4), tiny_classifier, images), no_progress, steps.append)
    assert [step.name for step in steps] == [f"step {number} of 4" for number in range(5)]
    labels = tiny_classifier(images).argmax(dim=1)
    for step in steps:
        assert torch.equal(step.loss, cross_entropy(step.logits, labels))
        assert torch.equal(step.adversarial_margin, Criterion(labels).adversarial_margin(step.logits))


def test_other_work_at_a_tick_is_not_watched(tiny_classifier: Classifier, pixels: Callable[..., Tensor]) -> None:
    """A job that goes before at a tick follows gradients of its own, which are no steps of this attack."""
    images, labels = pixels(2), torch.tensor([0, 1])

    def aside(*_: object) -> None:
        criterion = Criterion(labels)
        value_and_grad(tiny_classifier, images, criterion, lambda logits: cross_entropy(logits, labels))

    steps: list[TraceStep] = []
    traced(attack_of(FGSM(), tiny_classifier, images), aside, steps.append)
    assert [step.name for step in steps] == ["clean", "one step"]
