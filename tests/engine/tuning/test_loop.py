"""The tuning loop: it learns, leaves the model alone, and ends in the same prompts however it was interrupted."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, PictureRngs, Threat
from capt_engine.errors import Cancelled, UnknownName
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptShape
from capt_engine.records import TuneStep
from capt_engine.tuning import prompted
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import Recipe, Reference, Tuning, TuningFailed, forecast, has_collapsed
from capt_engine.tuning.methods import METHODS, prompt_methods
from capt_engine.tuning.objective import OBJECTIVES, Settings
from capt_engine.tuning.prompted import PromptedClip, PromptLearner

Pixels = Callable[..., Tensor]
SENTENCES = ["a photo of a cube.", "a photo of a sphere.", "a photo of a mug."]
ATTACK = InnerAttack(Threat(LINF, 4 / 255), 2.67 / 255, 2)
RECIPE = Recipe(OBJECTIVES["capt"], Settings(), ATTACK, epochs=3, batch_size=4, lr=0.05)


def silent(*_: object) -> None:
    """A tick that reports nothing."""


def tuning_of(backbone: Backbone, images: Tensor, recipe: Recipe = RECIPE, coupling: str = "vision_to_text") -> Tuning:
    """Prompts of length 2 and depth 2 over three classes, from a fixed seed."""
    clip = PromptedClip(backbone, backbone.tokenize(SENTENCES))
    stream = torch.Generator().manual_seed(0)
    context = backbone.clip.token_embedding(backbone.tokenize(SENTENCES)[0, 1:3])
    prompts = Prompts(backbone, PromptShape(coupling, 2, 2), context, stream)
    labels = torch.arange(len(images)) % 3
    plain = prompts().__class__()
    with torch.no_grad():
        text = clip.text(plain)
        reference = clip.logits(images, plain, text)[0]

    def reference_logits(x: Tensor) -> Tensor:
        with torch.no_grad():
            return clip.logits(x, plain, text)[0]

    learner = PromptLearner(clip, prompts)
    return Tuning(learner, recipe, images, labels, Reference(reference, reference_logits))


def prompts_of(tuning: Tuning) -> Prompts:
    """The prompts that a loop learns."""
    assert isinstance(tuning.learner, PromptLearner)
    return tuning.learner.prompts


def finished(tuning: Tuning) -> dict[str, Tensor]:
    """Run to the end and return the parameters."""
    for _ in tuning.epochs(silent):
        pass
    return {name: value.clone() for name, value in prompts_of(tuning).state_dict().items()}


def test_tuning_lowers_its_loss_and_leaves_the_model_alone(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """On pictures whose class is their colour, CAPT's loss falls by a fifth, and not one weight of the CLIP has moved."""
    before = copy.deepcopy(tiny_backbone.clip.state_dict())
    images = pixels(12) * 0.2
    for i in range(12):
        images[i, i % 3] += 0.8
    logs = list(tuning_of(tiny_backbone, images, replace(RECIPE, epochs=30, lr=0.02)).epochs(silent))

    def mean(epoch: list[TuneStep]) -> float:
        return sum(log.loss for log in epoch) / len(epoch)

    assert mean(logs[-1]) < 0.8 * mean(logs[0])
    after = tiny_backbone.clip.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.grad is None for p in tiny_backbone.clip.parameters())


def test_a_step_tells_the_length_of_the_prompts_before_it(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """The first step that of the fresh prompts; later ones another, as they have moved."""
    tuning = tuning_of(tiny_backbone, pixels(8))
    expected = math.sqrt(sum(float((p.detach().double() ** 2).sum()) for p in prompts_of(tuning).parameters()))
    first, *others = [log for epoch in tuning.epochs(silent) for log in epoch]
    assert first.prompt_norm == pytest.approx(expected, rel=1e-5)
    assert all(log.prompt_norm not in (0, first.prompt_norm) for log in others)


def test_resumed_is_unbroken_bit_for_bit(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """A run stopped after its first epoch and resumed from prompts and state ends in exactly the unbroken run's prompts."""
    unbroken = finished(tuning_of(tiny_backbone, pixels(12)))
    stopped = tuning_of(tiny_backbone, pixels(12))
    next(stopped.epochs(silent))
    resumed = tuning_of(tiny_backbone, pixels(12))
    prompts_of(resumed).load_state_dict(prompts_of(stopped).state_dict())
    resumed.restore(stopped.state)
    found = finished(resumed)
    assert all(torch.equal(unbroken[name], found[name]) for name in unbroken)


def test_the_seed_decides(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """The same seed gives the same prompts, another seed others."""
    one = finished(tuning_of(tiny_backbone, pixels(8)))
    same = finished(tuning_of(tiny_backbone, pixels(8)))
    other = finished(tuning_of(tiny_backbone, pixels(8), replace(RECIPE, seed=2)))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", [one.name for one in prompt_methods()])
def test_every_method_runs(tiny_backbone: Backbone, pixels: Pixels, name: str) -> None:
    """Each relative takes a step through the same loop and moves its prompts; clean ones make no attack."""
    method = METHODS[name]
    recipe = Recipe(
        OBJECTIVES[method.objective],
        Settings(lambda_=method.lambda_),
        ATTACK if method.attacked else None,
        epochs=2,
        batch_size=4,
    )
    tuning = tuning_of(tiny_backbone, pixels(4), recipe, method.coupling)
    before = copy.deepcopy(prompts_of(tuning).state_dict())
    logs = [log for epoch in tuning.epochs(silent) for log in epoch]
    assert len(logs) == 2
    assert any(not torch.equal(before[key], value) for key, value in prompts_of(tuning).state_dict().items())


def test_cancel_keeps_the_last_epoch(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """A tick that stops in the second epoch leaves the state of the first."""

    def progress(done: int, *_: object) -> None:
        if done == 4:
            raise Cancelled

    tuning = tuning_of(tiny_backbone, pixels(12))
    with pytest.raises(Cancelled):
        list(tuning.epochs(progress))
    assert tuning.state.epoch == 1


def test_a_loss_that_is_no_number_stops_with_a_sentence(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """A rate that blows the prompts up ends in a sentence that says what to change."""
    with pytest.raises(TuningFailed, match="not a number"):
        list(
            tuning_of(tiny_backbone, pixels(8), replace(RECIPE, settings=Settings(lambda_=float("inf")))).epochs(silent)
        )


def test_text_in_pieces_is_text_at_once(tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunked and recomputed text features, and their gradients, equal those of one pass."""
    clip = PromptedClip(tiny_backbone, tiny_backbone.tokenize(SENTENCES))
    context = torch.randn(2, 32, generator=torch.Generator().manual_seed(0)) * 0.02
    prompts = Prompts(tiny_backbone, PromptShape("text_only", 2, 2), context, torch.Generator().manual_seed(0))
    whole = clip.text(prompts())
    gradients = torch.autograd.grad(whole[:, :5].sum(), list(prompts.parameters()))
    monkeypatch.setattr(prompted, "TEXT_CHUNK", 1)
    pieces = PromptedClip(tiny_backbone, tiny_backbone.tokenize(SENTENCES)).text(prompts())
    again = torch.autograd.grad(pieces[:, :5].sum(), list(prompts.parameters()))
    assert torch.allclose(whole, pieces, atol=1e-5)
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(gradients, again, strict=True))


@pytest.mark.parametrize("norm", [LINF, L2])
@pytest.mark.parametrize("loss", ["ce", "kl"])
def test_the_inner_attack_stays_inside_and_helps_nobody(
    tiny_backbone: Backbone, pixels: Pixels, norm: object, loss: str
) -> None:
    """Attacked pictures stay in the ball and in [0, 1], and on average the loss that was climbed has grown."""
    clip = PromptedClip(tiny_backbone, tiny_backbone.tokenize(SENTENCES))
    tokens = Prompts(
        tiny_backbone, PromptShape("vision_only", 2, 2), torch.zeros(2, 32), torch.Generator().manual_seed(0)
    )().detached()
    text = clip.text(tokens).detach()

    def model(x: Tensor) -> Tensor:
        return clip.logits(x, tokens, text)[0]

    images, labels = pixels(16), torch.arange(16) % 3
    eps = 4 / 255 if norm is LINF else 0.3
    threat = Threat(norm, eps)  # type: ignore[arg-type]
    start = threat.norm.random(PictureRngs.of(0, [str(i) for i in range(16)]), images, eps)
    attacked, zeros = InnerAttack(threat, eps / 2, 3, loss).run(model, images, labels, start)
    assert float(threat.norm.norm(attacked - images).max()) <= eps + 1e-6
    assert float(attacked.min()) >= 0
    assert float(attacked.max()) <= 1
    assert zeros.shape == (3,)
    assert 0 <= float(zeros.mean()) < 0.5
    clean, after = model(images).log_softmax(dim=1), model(attacked).log_softmax(dim=1)
    if loss == "ce":
        assert float((clean - after).gather(1, labels[:, None]).mean()) > 0
    else:
        assert float((clean.exp() * (clean - after)).sum(dim=1).mean()) > 1e-3


def test_an_unknown_inner_loss_is_named() -> None:
    """A loss that does not exist is refused with the ones that do."""
    with pytest.raises(UnknownName, match="mse"):
        InnerAttack(Threat(), 0.01, 3, "mse")


def log_of(ce: float, kl: float) -> TuneStep:
    """A step with these two terms and nothing else of interest."""
    return TuneStep(1, 1, 0.1, ce, ce, kl, 0, 0.5, 0.5, 0.5, 1, 0, 0.1, 0.1)


def test_collapse_is_a_constant_answer() -> None:
    """No consistency term and a cross-entropy of ln k mean collapse; either alone does not."""
    assert has_collapsed([log_of(2.30, 0.001)], 10)
    assert not has_collapsed([log_of(2.30, 0.5)], 10)
    assert not has_collapsed([log_of(1.0, 0.001)], 10)


def test_the_forecast_leaves_out_the_first_step() -> None:
    """The median of the dry run's later steps is what the others will take."""
    assert forecast([9.0, 1.0, 1.2], 100) == pytest.approx(120)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_step_in_parts_is_the_step_of_the_whole(tiny_backbone: Backbone, pixels: Pixels, objective: str) -> None:
    """For each loss, one whose weights hang on the whole batch too; the loss is the same, the learned values but for the order of sums."""
    settings = Settings(alpha="batch") if objective == "capt" else Settings()
    recipe = replace(RECIPE, objective=OBJECTIVES[objective], settings=settings, epochs=1)
    whole, parts = (tuning_of(tiny_backbone, pixels(4), recipe) for _ in range(2))
    parts.at_once = 3
    logs = [next(one.epochs(silent))[0] for one in (whole, parts)]
    assert logs[1].loss == pytest.approx(logs[0].loss, rel=1e-6)
    assert logs[1].gradient_norm == pytest.approx(logs[0].gradient_norm, rel=1e-4)
    assert logs[1].zero_gradients == pytest.approx(logs[0].zero_gradients, abs=1e-6)
    for one, other in zip(prompts_of(whole).parameters(), prompts_of(parts).parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
