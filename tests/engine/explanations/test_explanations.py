"""Saliency maps against finite differences, hand-made numbers, a brute-force loop and open_clip's own intermediate tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import capt_engine as capt
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.explanations.drift import token_drift
from capt_engine.explanations.gradient import gradient_size, gradient_sum, input_gradient
from capt_engine.explanations.occlusion import occlusion
from capt_engine.explanations.rollout import attention_rollout, rollout
from capt_engine.explanations.scores import SCORES
from capt_engine.explanations.tower import watched
from capt_engine.model.classifier import Classifier
from capt_engine.wrappers.resizing import Resizing

Pixels = Callable[..., Tensor]


@pytest.fixture(scope="module")
def smooth() -> nn.Module:
    """A smooth model of 6 × 6 pictures and five classes, in double precision."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(nn.Flatten(), nn.Linear(108, 12), nn.Tanh(), nn.Linear(12, 5)).double().eval()


@pytest.mark.parametrize("of", SCORES)
def test_the_gradient_is_that_of_finite_differences(smooth: nn.Module, pixels: Pixels, of: str) -> None:
    """Central differences of the score agree with every part of the gradient."""
    images, labels = pixels(2, 6).double(), torch.tensor([1, 4])
    found = input_gradient(smooth, images, labels, of)
    h = 1e-6
    for i in range(2):
        for place in range(0, 108, 5):
            step = torch.zeros(108, dtype=torch.float64)
            step[place] = h
            moved = [smooth(images[i : i + 1] + sign * step.view(1, 3, 6, 6)) for sign in (1, -1)]
            up, down = (float(SCORES[of](z.detach(), labels[i : i + 1])) for z in moved)
            assert float(found[i].flatten()[place]) == pytest.approx((up - down) / (2 * h), abs=1e-6)


def test_the_colours_are_summed_with_and_without_their_sign() -> None:
    """Of 1, −2 and 4 the size is 7 and the sum is 3."""
    gradient = torch.tensor([1.0, -2.0, 4.0]).view(1, 3, 1, 1)
    assert gradient_size(gradient).tolist() == [[[7.0]]]
    assert gradient_sum(gradient).tolist() == [[[3.0]]]


def test_a_model_without_a_gradient_is_refused(pixels: Pixels) -> None:
    """A model that cuts the graph would give a map of zeros, which says nothing."""
    with pytest.raises(BadRequest, match="no gradient"):
        input_gradient(lambda x: x.detach().flatten(1)[:, :3], pixels(1, 6), torch.tensor([0]))


def test_rollout_of_three_blocks_made_by_hand() -> None:
    """Worked out on paper: A = (W + I) / 2 of each block, multiplied from the last to the first; two heads count by their mean."""
    first = torch.tensor([[0.0, 1, 0], [0, 1, 0], [0, 0, 1]])
    second = torch.tensor([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]])
    heads = torch.tensor([[[0.0, 1, 0], [1, 0, 0], [0, 0, 1]]] * 2)
    heads[0, 0], heads[1, 0] = torch.tensor([0.25, 0.75, 0]), torch.tensor([-0.25, 1.25, 0])
    blocks = [first[None, None], second[None, None], heads[None]]
    expected = [[0.125, 0.625, 0.25], [0.125, 0.625, 0.25], [0.25, 0.25, 0.5]]
    assert rollout(blocks)[0].tolist() == expected


def test_a_learned_token_that_is_put_in_anew_forgets_what_it_gathered() -> None:
    """The second block looks at the last token alone: what came from the first one through it is gone."""
    first = torch.tensor([[[[1.0, 0], [1, 0]]]])
    second = torch.tensor([[[[0.0, 1], [0, 1]]]])
    assert rollout([first, second])[0].tolist() == [[0.75, 0.25], [0.5, 0.5]]
    assert rollout([first, second], (False, True), 1)[0].tolist() == [[0.5, 0.5], [0.0, 1.0]]


def test_the_attention_is_that_of_queries_and_keys(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """The first block's weights, computed from its own matrices, and nothing of the tower's answer changes."""
    images = pixels(2)
    before = tiny_classifier(images)
    seen = watched(tiny_classifier, images)
    assert torch.equal(tiny_classifier(images), before)
    visual = tiny_classifier.backbone.clip.visual
    block = visual.transformer.resblocks[0]
    assert not block.attn._forward_hooks
    x = block.ln_1(visual._embeds((images - tiny_classifier.backbone.mean) / tiny_classifier.backbone.std))
    query, key, _ = (x @ block.attn.in_proj_weight.T + block.attn.in_proj_bias).chunk(3, dim=-1)
    split = [one.unflatten(-1, (block.attn.num_heads, -1)).transpose(1, 2) for one in (query, key)]
    weights = (split[0] @ split[1].transpose(-1, -2) / split[0].shape[-1] ** 0.5).softmax(dim=-1)
    assert torch.allclose(seen.attention[0], weights, atol=1e-6)
    assert (seen.rows, seen.columns, len(seen.attention)) == (3, 3, 2)


def test_rollout_shares_are_those_of_the_class_token(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """One share a patch; with that of the class token they sum to 1."""
    images = pixels(2)
    shares = attention_rollout(tiny_classifier, images)
    assert shares.shape == (2, 3, 3)
    whole = rollout(watched(tiny_classifier, images).attention)[:, 0]
    assert torch.allclose(shares.sum(dim=(1, 2)), 1 - whole[:, 0], atol=1e-6)


def test_occlusion_is_that_of_a_plain_loop(smooth: nn.Module, pixels: Pixels) -> None:
    """Square by square and picture by picture, with one that is cut off at the edges; batches do not matter."""
    images, labels = pixels(2, 6).double(), torch.tensor([1, 4])
    expected = torch.zeros(2, 2, 2)
    for i in range(2):
        for row in range(2):
            for column in range(2):
                covered = images[i].clone()
                for channel in range(3):
                    covered[channel, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = images[i, channel].mean()
                z = [smooth(one[None]).detach()[0] for one in (images[i], covered)]
                wins = [float(one[labels[i]] - one[[k for k in range(5) if k != labels[i]]].max()) for one in z]
                expected[i, row, column] = wins[0] - wins[1]
    for batch_size in (1, 3, 64):
        assert torch.allclose(occlusion(smooth, images, labels, 4, batch_size=batch_size), expected, atol=1e-6)


def test_occlusion_can_be_stopped(smooth: nn.Module, pixels: Pixels) -> None:
    """What the progress raises ends it."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        occlusion(smooth, pixels(1, 6).double(), torch.tensor([0]), 2, progress=stop)


def test_the_drift_is_that_of_open_clips_own_tokens(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Behind every block, 1 − cosine of the tokens that open_clip itself gives; the same picture has not drifted."""
    clean, attacked = pixels(2), pixels(2, seed=1)
    found = token_drift(tiny_classifier, clean, attacked)
    backbone = tiny_classifier.backbone
    with torch.no_grad():
        before, after = (
            backbone.clip.visual.forward_intermediates((one - backbone.mean) / backbone.std, output_fmt="NLC")
            for one in (clean, attacked)
        )
    for block, tokens in enumerate(zip(before["image_intermediates"], after["image_intermediates"], strict=True)):
        one, two = tokens
        cosine = (one * two).sum(dim=-1) / (one.norm(dim=-1) * two.norm(dim=-1))
        assert torch.allclose(found[:, block].flatten(1), 1 - cosine, atol=1e-5)
    assert float(token_drift(tiny_classifier, clean, clean).max()) < 1e-6


def test_a_tower_without_attention_is_refused_in_a_sentence(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """A ResNet, for one, has no attention blocks; the sentence says what works instead."""

    class Plain:
        visual = nn.Conv2d(3, 4, 3)

    bare = Resizing(tiny_classifier)
    bare.backbone = type("Bare", (), {"clip": Plain()})()  # type: ignore[assignment]
    with pytest.raises(BadRequest, match="no attention blocks") as refused:
        attention_rollout(bare, pixels(1))
    assert "occlusion" in refused.value.hint


def test_saliency_from_python_takes_what_it_can_explain(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """One value a pixel or a patch; the model's own answers where no labels are given; wrong names and models are refused."""
    images = pixels(2)
    own = tiny_classifier(images).argmax(dim=1)
    assert torch.equal(capt.saliency(tiny_classifier, images), capt.saliency(tiny_classifier, images, own))
    assert capt.saliency(tiny_classifier, images, method="occlusion", patch=10).shape == (2, 3, 3)
    assert capt.saliency(tiny_classifier, images, method="rollout").shape == (2, 3, 3)
    signed = capt.saliency(tiny_classifier, images, of="logit", signed=True)
    assert signed.shape == (2, 24, 24)
    assert bool((signed < 0).any())
    with pytest.raises(UnknownName, match="gradcam"):
        capt.saliency(tiny_classifier, images, method="gradcam")
    with pytest.raises(UnknownName, match="probability"):
        capt.saliency(tiny_classifier, images, of="probability")
    with pytest.raises(BadRequest, match="another model"):
        capt.saliency(nn.Sequential(nn.Flatten(), nn.Linear(1728, 5)).eval(), images, method="rollout")
    with pytest.raises(BadRequest, match="patch"):
        capt.saliency(tiny_classifier, images, method="occlusion", patch=0)
