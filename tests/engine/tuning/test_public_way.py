"""Our step against the plain one of the public code, which encodes the text again, at full length, in every forward.

That plain code is the benchmark's own, so what is timed there is what is found equal here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from benchmarks.tuning_step import Problem, our_steps, public_attack, public_steps, public_text
from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import COUPLINGS, Prompts, PromptShape
from capt_engine.model.text import encode_tokens
from capt_engine.tuning import prompted
from capt_engine.tuning.inner_attack import InnerAttack

Pixels = Callable[..., Tensor]
# Of different lengths, and not in their order.
SENTENCES = [
    "a photo of a small blue cube in the rain.",
    "a photo of a mug.",
    "a photo of a very big sphere.",
    "a photo of a cone.",
    "a photo of a donut on a table.",
]


@pytest.fixture(scope="module")
def mild(tiny_backbone: Backbone) -> Backbone:
    """The tiny CLIP at a scale of 10: at 100, rounding alone moves a gradient by 1e-5 of itself."""
    clip = copy.deepcopy(tiny_backbone.clip)
    clip.logit_scale.fill_(torch.tensor(10.0).log())
    return replace(tiny_backbone, clip=clip)


def problem_of(backbone: Backbone, images: Tensor, coupling: str, inner: str = "ce", steps: int = 2) -> Problem:
    """Five classes, prompts of length 2 and depth 2, and a seeded start of the attack."""
    ids = backbone.tokenize(SENTENCES)
    stream = torch.Generator().manual_seed(0)
    prompts = Prompts(backbone, PromptShape(coupling, 2, 2), backbone.clip.token_embedding(ids[0, 1:3]), stream)
    eps = 4 / 255
    start = LINF.random(PictureRngs.of(1, [f"1:{i}" for i in range(len(images))]), images, eps)
    labels = torch.arange(len(images)) % len(SENTENCES)
    return Problem(backbone, prompts, InnerAttack(Threat(LINF, eps), eps / 2, steps, inner), ids, images, labels, start)


def farthest(ours: Problem) -> float:
    """A step each way from the same prompts: the largest difference of a gradient over its largest entry. The losses must agree."""
    public = replace(ours, prompts=copy.deepcopy(ours.prompts))
    assert next(our_steps(ours, 1)) == pytest.approx(next(public_steps(public, 1)), rel=1e-5)
    apart = 0.0
    for found, expected in zip(ours.prompts.parameters(), public.prompts.parameters(), strict=True):
        assert found.grad is not None
        assert expected.grad is not None
        assert float(expected.grad.abs().max()) > 0
        apart = max(apart, float((found.grad - expected.grad).abs().max() / expected.grad.abs().max()))
    return apart


@pytest.mark.parametrize("chunk", [128, 2])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_our_step_is_the_plain_one(
    mild: Backbone, pixels: Pixels, monkeypatch: pytest.MonkeyPatch, coupling: str, chunk: int
) -> None:
    """At the attack's first point, every gradient of a step equals the plain way's to 1e-5, with the text at once or in pieces."""
    monkeypatch.setattr(prompted, "TEXT_CHUNK", chunk)
    assert farthest(problem_of(mild, pixels(4), coupling, steps=0)) < 1e-5


@pytest.mark.parametrize("inner", ["ce", "kl"])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_so_is_the_inner_attack(tiny_backbone: Backbone, pixels: Pixels, coupling: str, inner: str) -> None:
    """The attacked pictures are the plain way's, but for one pixel in a thousand: where a gradient vanishes, rounding has its sign."""
    problem = problem_of(tiny_backbone, pixels(4), coupling, inner)
    public = public_attack(problem).detach()
    clip = prompted.PromptedClip(tiny_backbone, problem.ids)
    tokens = problem.prompts().detached()
    text = clip.text(tokens).detach()
    ours, _ = problem.attack.run(
        lambda x: clip.logits(x, tokens, text)[0], problem.images, problem.labels, problem.start
    )
    assert float(((ours - public).abs() > 1e-6).float().mean()) < 1e-3


@pytest.mark.parametrize("inner", ["ce", "kl"])
def test_the_whole_step_is_the_plain_one(tiny_backbone: Backbone, pixels: Pixels, inner: str) -> None:
    """With the attack in it, where rounding may turn a pixel, gradients still agree to a thousandth."""
    assert farthest(problem_of(tiny_backbone, pixels(4), "vision_to_text", inner)) < 1e-3


def test_prompted_text_cut_at_its_end_is_the_whole_context(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """With prompts in every layer, features and gradients of the cut sentences equal those over all places to 1e-5."""
    problem = problem_of(tiny_backbone, pixels(1), "text_only")
    parameters = list(problem.prompts.parameters())
    cut = encode_tokens(tiny_backbone, problem.ids, problem.prompts().text)
    whole = public_text(problem, problem.prompts().text)
    torch.testing.assert_close(cut, whole, atol=1e-5, rtol=0)
    for one, other in zip(
        torch.autograd.grad(cut.square().sum(), parameters),
        torch.autograd.grad(whole.square().sum(), parameters),
        strict=True,
    ):
        assert float((one - other).abs().max() / other.abs().max()) < 1e-5
