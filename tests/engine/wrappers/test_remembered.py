"""A classifier that remembers: the same bits, and no second pass over the same pixels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from capt_engine.model.classifier import Classifier
from capt_engine.wrappers.plain_module import PlainModule
from capt_engine.wrappers.quantized import Quantized
from capt_engine.wrappers.remembered import Remembered, remembered

Pixels = Callable[..., Tensor]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pictures in each pass through the model."""
    seen: list[int] = []
    real = Classifier.forward

    def counted(self: Classifier, images: Tensor) -> object:
        if not isinstance(self, Remembered):
            seen.append(len(images))
        return real(self, images)

    monkeypatch.setattr(Classifier, "forward", counted)
    return seen


def test_only_new_pictures_pass_through_the_model(
    tiny_classifier: Classifier, pixels: Pixels, passes: list[int]
) -> None:
    """Known pictures in another order, and one new one: one picture is classified, and all answers are those of the model."""
    model, images = remembered(tiny_classifier), pixels(5)
    with torch.no_grad():
        model.forward(images[:4])
        mixed = model.forward(images[[4, 2, 0]])
        assert passes == [4, 1]
        alone = tiny_classifier.forward(images[[4, 2, 0]])
    assert torch.equal(mixed.logits, alone.logits)
    assert torch.equal(mixed.features, alone.features)


def test_a_gradient_is_always_computed(tiny_classifier: Classifier, pixels: Pixels, passes: list[int]) -> None:
    """A pass with gradient neither uses the memory nor fills it."""
    model, images = remembered(tiny_classifier), pixels(2)
    with torch.no_grad():
        model.forward(images)
    images.requires_grad_()
    model(images).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert passes == [2, 2]


def test_only_a_clip_on_the_cpu_is_remembered(tiny_classifier: Classifier) -> None:
    """A module of the user's own may be random, and is asked each time; rounding to 8 bits is remembered too."""
    module = PlainModule(nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 2)), ("a", "b"), 24)
    assert remembered(module) is module
    assert isinstance(remembered(tiny_classifier), Remembered)
    assert isinstance(remembered(Quantized(tiny_classifier)), Remembered)


def test_the_oldest_is_forgotten(tiny_classifier: Classifier, pixels: Pixels, passes: list[int]) -> None:
    """No more than 128 pictures are kept."""
    model, images = remembered(tiny_classifier), pixels(129)
    with torch.no_grad():
        model.forward(images)
        model.forward(images[-1:])
        model.forward(images[:1])
    assert passes == [129, 1]
