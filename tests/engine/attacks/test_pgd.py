"""PGD against what can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs, Threat
from capt_engine.attacks.gradients import watched_gradients
from capt_engine.attacks.losses import LOSSES, adversarial_margin
from capt_engine.attacks.pgd import PGD
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]
KEYS = [f"picture {i}" for i in range(6)]


def linear(k: int = 2, size: int = 4) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Weights (k, 3 · size²) and the model whose logits are their products with the pixels."""
    weights = torch.randn((k, 3 * size * size), generator=torch.Generator().manual_seed(3))
    return weights, lambda images: images.flatten(1) @ weights.T


def run(attack: PGD, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, threat: Threat) -> Tensor:
    """The attack with one stream a picture."""
    return attack.run(model, images, labels, threat, PictureRngs.of(0, KEYS[: len(images)]), no_progress)


def predicted(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The model's own answers."""
    with torch.no_grad():
        return model(images).argmax(dim=1)


@pytest.mark.parametrize("targeted", [False, True])
def test_one_whole_step_is_fgsm(tiny_classifier: Classifier, pixels: Pixels, targeted: bool) -> None:
    """One step of size eps from the picture itself is x ± eps · sign(gradient), clipped, wherever that helps the attacker."""
    eps, images = 6 / 255, pixels(6)
    labels = torch.full((6,), 2) if targeted else predicted(tiny_classifier, images)
    x = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(F.cross_entropy(tiny_classifier(x), labels, reduction="sum"), x)
    fgsm = (images + (-eps if targeted else eps) * gradient.sign()).clamp(0, 1)

    attacked = run(
        PGD(steps=1, step_size=eps, random_start=False), tiny_classifier, images, labels, Threat(LINF, eps, targeted)
    )

    sign = -1 if targeted else 1
    with torch.no_grad():
        better = sign * adversarial_margin(tiny_classifier(fgsm), labels) > sign * adversarial_margin(
            tiny_classifier(images), labels
        )
    assert better.sum() >= 4, "the test would show little"
    torch.testing.assert_close(attacked[better], fgsm[better], atol=1e-6, rtol=0)
    assert torch.equal(attacked[~better], images[~better])


@pytest.mark.parametrize("loss", list(LOSSES))
@pytest.mark.parametrize("random_start", [False, True])
@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_reaches_the_optimum_of_a_linear_model(norm: Norm, random_start: bool, loss: str) -> None:
    """Between two classes with weights u and v the margin moves by eps · ‖u − v‖₁ under L∞, by eps · ‖u − v‖₂ under L2."""
    weights, model = linear()
    images = torch.full((3, 3, 4, 4), 0.5)
    labels = predicted(model, images)
    eps = {"linf": 0.02, "l2": 0.1}[norm.name]
    attacked = run(PGD(steps=40, random_start=random_start, loss=loss), model, images, labels, Threat(norm, eps))
    gained = adversarial_margin(model(attacked), labels) - adversarial_margin(model(images), labels)
    apart = weights[0] - weights[1]
    dual = apart.abs().sum() if norm is LINF else apart.norm()
    torch.testing.assert_close(gained, (eps * dual).expand(3), atol=1e-4, rtol=1e-4)


def test_reaches_the_optimum_at_the_edge_of_the_pixels() -> None:
    """Where a pixel is already black or white, the part of the step that would leave [0, 1] is given up, no more."""
    weights, model = linear()
    images = torch.rand((3, 3, 4, 4), generator=torch.Generator().manual_seed(1)).round()
    labels = predicted(model, images)
    attacked = run(PGD(steps=12), model, images, labels, Threat(LINF, 0.1))
    for i, label in enumerate(labels.tolist()):
        apart = (weights[1 - label] - weights[label]).view(3, 4, 4)
        torch.testing.assert_close(attacked[i], (images[i] + 0.1 * apart.sign()).clamp(0, 1))


@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_more_restarts_are_never_worse(tiny_classifier: Classifier, pixels: Pixels, norm: Norm) -> None:
    """The first of three restarts is the only one of one, and the best of them is kept."""
    images = pixels(6)
    labels = predicted(tiny_classifier, images)
    threat = Threat(norm, {"linf": 4 / 255, "l2": 0.3}[norm.name])
    once, thrice = (
        adversarial_margin(
            tiny_classifier(run(PGD(steps=2, restarts=restarts), tiny_classifier, images, labels, threat)), labels
        )
        for restarts in (1, 3)
    )
    assert (thrice >= once).all()
    assert thrice.mean() > once.mean()


def test_keeps_the_strongest_point_it_met(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """With steps so wide that it jumps about, what it returns is the best of all it has shown the model, not the last."""
    images = pixels(6)
    labels = predicted(tiny_classifier, images)
    met: list[Tensor] = []

    def model(pictures: Tensor) -> Tensor:
        logits = tiny_classifier(pictures)
        met.append(adversarial_margin(logits.detach(), labels))
        return logits

    attacked = run(PGD(steps=8, step_size=0.5), model, images, labels, Threat(LINF, 0.3))
    best = torch.stack(met).amax(dim=0)
    torch.testing.assert_close(adversarial_margin(tiny_classifier(attacked), labels), best)
    assert (met[-1] < best).any(), "the test would show nothing"


@pytest.mark.parametrize(("steps", "share"), [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25), (20, 0.25)])
def test_step_size_zero_takes_a_sensible_one(steps: int, share: float) -> None:
    """A quarter of the budget, or the budget divided by the steps when there are fewer than four."""
    _, model = linear()
    seen: list[Tensor] = []

    def watched(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return model(images)

    images = torch.full((1, 3, 4, 4), 0.5)
    run(PGD(steps=steps, random_start=False), watched, images, predicted(model, images), Threat(LINF, 0.08))
    clean, start, first = seen[:3]
    assert torch.equal(start, clean)
    torch.testing.assert_close((first - start).abs(), torch.full_like(first, 0.08 * share))


def test_random_start_follows_the_seed(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Another seed ends elsewhere with a random start, and in the same place without one."""
    images = pixels(6)
    labels = predicted(tiny_classifier, images)

    def attacked(seed: int, random_start: bool) -> Tensor:
        attack = PGD(steps=2, random_start=random_start)
        return attack.run(tiny_classifier, images, labels, Threat(L2, 0.5), PictureRngs.of(seed, KEYS), no_progress)

    assert not torch.equal(attacked(0, True), attacked(1, True))
    assert torch.equal(attacked(0, False), attacked(1, False))


def test_a_target_is_reached_where_it_can_be() -> None:
    """With budget to spare, a targeted run on a linear model makes the target the answer."""
    _, model = linear(k=4)
    images = torch.full((4, 3, 4, 4), 0.5)
    labels = torch.arange(4)
    attacked = run(PGD(steps=20), model, images, labels, Threat(LINF, 0.5, targeted=True))
    assert torch.equal(predicted(model, attacked), labels)


def test_work_counts_the_passes() -> None:
    """One tick a forward pass: every restart looks at its start and at the end of each step."""
    assert PGD(steps=7, restarts=3).work == 24


def test_black_and_white_pixels_move(tiny_classifier: Classifier) -> None:
    """A pixel at the very end of the range is attacked like any other, from the first step."""
    images = torch.rand((6, 3, 24, 24), generator=torch.Generator().manual_seed(5)).round()
    attack = PGD(steps=1, random_start=False)
    attacked = run(attack, tiny_classifier, images, predicted(tiny_classifier, images), Threat(LINF, 8 / 255))
    project = (attacked != images).flatten(1).float().mean(dim=1)
    # Half of the gradients point out of the range; all others must be followed.
    assert ((project > 0.4) & (project < 0.6)).all()


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("restarts", [1, 3])
@pytest.mark.parametrize("eps", [4 / 255, 8 / 255])
def test_stopping_at_success_fools_the_same_pictures(
    tiny_classifier: Classifier, pixels: Pixels, targeted: bool, restarts: int, eps: float
) -> None:
    """Pictures that are given no more steps once fooled are exactly those that the whole attack fools, and the model is asked less."""
    images, keys = pixels(24), [f"picture {i}" for i in range(24)]
    with torch.no_grad():
        labels = tiny_classifier(images).topk(2).indices[:, 1 if targeted else 0]
    # Some are wrong (or the target) from the start: they must cost nothing and come back as they were.
    labels[:3] = (labels[:3] + 1) % 7 if not targeted else predicted(tiny_classifier, images[:3])
    asked = []

    def model(pictures: Tensor) -> Tensor:
        asked[-1] += len(pictures)
        return tiny_classifier(pictures)

    fooled = []
    for stop_early in (False, True):
        asked.append(0)
        attack = PGD(steps=8, restarts=restarts, stop_early=stop_early)
        attacked = attack.run(model, images, labels, Threat(LINF, eps, targeted), PictureRngs.of(0, keys), no_progress)
        fooled.append((predicted(tiny_classifier, attacked) == labels) == targeted)
    assert torch.equal(*fooled)
    assert fooled[0].sum() > 3, "the test would show little"
    assert asked[1] < asked[0]
    assert torch.equal(attacked[:3], images[:3])


def test_no_gradient_is_taken_where_all_are_fooled(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """The step that fools the last picture ends without a backward pass, and the pictures are those of an attack that takes it."""
    images = pixels(4)
    labels = predicted(tiny_classifier, images)
    back = []

    def model(pictures: Tensor) -> Tensor:
        logits = tiny_classifier(pictures)
        if logits.requires_grad:
            forward.append(len(pictures))
            logits.register_hook(lambda _: back.append(len(pictures)))
        return logits

    found = []
    for watcher in (None, lambda *_: None):
        forward: list[int] = []
        back.clear()
        with watched_gradients(watcher):
            found.append(run(PGD(steps=20, stop_early=True), model, images, labels, Threat(LINF, 0.3)))
        # Whoever watches is shown each gradient.
        assert back == (forward[:-1] if watcher is None else forward)
    assert torch.equal(*found)
    assert bool((predicted(tiny_classifier, found[0]) != labels).all()), "the test would show nothing"


def test_momentum_keeps_going_where_the_gradient_turns() -> None:
    """MI-FGSM's running sum, written out for two steps of a model with a known gradient."""
    images = torch.full((1, 3, 2, 2), 0.5)
    turn = torch.tensor([1.0, -1.0]).repeat(6).view(1, 3, 2, 2)
    gradients = [torch.full_like(images, 3.0), 0.5 * turn]
    seen: list[Tensor] = []

    def model(pictures: Tensor) -> Tensor:
        seen.append(pictures.detach())
        gradient = gradients[min(max(len(seen) - 2, 0), 1)]
        up = (pictures * gradient).flatten(1).sum(dim=1)
        return torch.stack([-up, up], dim=1)

    attack = PGD(steps=2, step_size=0.01, random_start=False, momentum=0.5, loss="margin")
    run(attack, model, images, torch.zeros(1, dtype=torch.long), Threat(LINF, 0.1))
    # Mean sizes are taken out: 1 at first, then 0.5 · 1 ± 1.
    second = 0.01 * (0.5 * torch.ones_like(turn) + turn).sign()
    torch.testing.assert_close(seen[2] - seen[1], torch.full_like(images, 0.01))
    torch.testing.assert_close(seen[3] - seen[2], second)


def test_a_model_that_cuts_the_graph_is_left_alone() -> None:
    """Where there is no gradient at all, the clean pictures come back, or what the random start found, and nothing is raised."""
    _, model = linear()
    images = torch.full((3, 3, 4, 4), 0.5)
    labels = predicted(model, images)
    attack = PGD(steps=3, random_start=False)
    attacked = run(attack, lambda pictures: model(pictures.detach()), images, labels, Threat(LINF, 0.1))
    assert torch.equal(attacked, images)
