"""The embedding attack: what it climbs, what it is blind to, and that it says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.apgd import APGDCE
from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.embedding import EmbeddingAttack
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]


def keys(n: int) -> PictureRngs:
    """One stream a picture."""
    return PictureRngs.of(0, [str(i) for i in range(n)])


def test_the_embedding_moves_away(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """The divergence of the softmaxed embeddings, written out, grows far beyond what noise of the same budget does."""
    images, threat = pixels(8), Threat(LINF, 8 / 255)
    with torch.no_grad():
        clean = tiny_classifier.forward(images)
    labels = clean.logits.argmax(dim=1)
    attacked = EmbeddingAttack().run(tiny_classifier, images, labels, threat, keys(8), no_progress)
    noisy = (images + LINF.random(keys(8), images, threat.eps)).clamp(0, 1)

    def divergence(pictures: Tensor) -> Tensor:
        with torch.no_grad():
            there = tiny_classifier.forward(pictures).features.double()
        p, q = clean.features.double().softmax(dim=1), there.softmax(dim=1)
        return (p * (p / q).log()).sum(dim=1)

    changed = (attacked != images).flatten(1).any(dim=1)
    assert changed.sum() >= 4
    assert (divergence(attacked)[changed] > 5 * divergence(noisy)[changed]).all()


def test_it_is_weaker_than_an_attack_on_the_answer(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """With the same budget and steps it fools fewer pictures than APGD: why its figures are no worst case."""
    images, threat = pixels(40), Threat(LINF, 8 / 255)
    with torch.no_grad():
        labels = tiny_classifier(images).argmax(dim=1)
        right = [
            int(
                (
                    tiny_classifier(attack.run(tiny_classifier, images, labels, threat, keys(40), no_progress)).argmax(
                        1
                    )
                    == labels
                ).sum()
            )
            for attack in (EmbeddingAttack(steps=20), APGDCE(steps=20))
        ]
    assert right[0] > right[1]


def test_the_label_plays_no_part_in_where_it_goes(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Pictures that move under two different labels move to the same place."""
    images, threat = pixels(8), Threat(LINF, 8 / 255)
    with torch.no_grad():
        first, second = tiny_classifier(images).topk(2).indices.unbind(dim=1)
    one, other = (
        EmbeddingAttack(steps=5).run(tiny_classifier, images, labels, threat, keys(8), no_progress)
        for labels in (first, second)
    )
    both = (one != images).flatten(1).any(dim=1) & (other != images).flatten(1).any(dim=1)
    assert torch.equal(one[both], other[both])


def test_it_needs_a_model_that_shows_embeddings() -> None:
    """A plain function of logits and a module that gives nothing else are refused with a sentence, and so is a target."""
    images, labels = torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, dtype=torch.long)
    for model in (lambda x: x.flatten(1)[:, :3], torch.nn.Flatten()):
        with pytest.raises(BadRequest, match="embeddings"):
            EmbeddingAttack().run(model, images, labels, Threat(), keys(1), no_progress)
    with pytest.raises(BadRequest, match="cannot aim"):
        EmbeddingAttack().run(
            lambda x: x.flatten(1)[:, :3], images, labels, Threat(targeted=True), keys(1), no_progress
        )


def test_it_says_that_it_is_no_worst_case() -> None:
    """Whatever the number of classes."""
    assert "no worst case" in EmbeddingAttack().notes(2)[0]
