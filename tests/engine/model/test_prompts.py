"""Learned tokens: where they stand, how the towers are coupled, and that none of them is the plain CLIP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import COUPLINGS, Prompts, PromptShape, sentence_prefix
from capt_engine.model.text import encode_tokens
from capt_engine.model.vision import encode_pixels

Pixels = Callable[..., Tensor]


def prompts_of(backbone: Backbone, coupling: str, length: int = 3, depth: int = 2, seed: int = 0) -> Prompts:
    """Prompts whose first text layer is drawn from the same stream as the rest."""
    stream = torch.Generator().manual_seed(seed)
    context = torch.randn(length, backbone.clip.token_embedding.weight.shape[1], generator=stream) * 0.02
    return Prompts(backbone, PromptShape(coupling, length, depth), context, stream)


def ids_of(backbone: Backbone, *texts: str) -> Tensor:
    """Token ids of sentences."""
    return backbone.tokenize(list(texts))


def test_no_prompts_is_the_plain_model_bit_for_bit(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """Without prompts both towers give exactly what open_clip gives."""
    images = pixels(4)
    plain = F.normalize(tiny_backbone.clip.encode_image((images - tiny_backbone.mean) / tiny_backbone.std), dim=-1)
    assert torch.equal(encode_pixels(tiny_backbone, images), plain)
    ids = ids_of(tiny_backbone, "a cube", "a very long sentence about a sphere")
    assert torch.equal(encode_tokens(tiny_backbone, ids, ()), encode_tokens(tiny_backbone, ids))


def test_text_tokens_that_are_the_words_change_nothing(tiny_backbone: Backbone) -> None:
    """Putting the template's own embeddings into layer 0 gives the plain sentence: the places and the positions are right."""
    ids = ids_of(tiny_backbone, "a photo of a cube", "a photo of a sphere")
    words = tiny_backbone.clip.token_embedding(ids[0, 1:4])
    assert torch.allclose(encode_tokens(tiny_backbone, ids, (words,)), encode_tokens(tiny_backbone, ids), atol=1e-6)


def test_prompted_text_is_cut_exactly(tiny_backbone: Backbone) -> None:
    """A short sentence beside a long one, where it is cut later, gets the same prompted features to 1e-5."""
    tokens = prompts_of(tiny_backbone, "text_only")().text
    short, long = "a cube is here", "a photo of a very small blue cube in the rain"
    alone = encode_tokens(tiny_backbone, ids_of(tiny_backbone, short), tokens)
    together = encode_tokens(tiny_backbone, ids_of(tiny_backbone, short, long), tokens)[:1]
    assert torch.allclose(alone, together, atol=1e-5)


def test_vision_tokens_stand_behind_the_patches(tiny_backbone: Backbone, pixels: Pixels) -> None:
    """The image tower with prompts equals its equations written out block by block."""
    tokens = prompts_of(tiny_backbone, "vision_only")().vision
    images = pixels(2)
    visual = tiny_backbone.clip.visual
    x = visual.conv1((images - tiny_backbone.mean) / tiny_backbone.std).flatten(2).permute(0, 2, 1)
    x = torch.cat([visual.class_embedding[None, None].repeat(2, 1, 1), x], 1) + visual.positional_embedding[None]
    x = visual.ln_pre(torch.cat([x, tokens[0][None].repeat(2, 1, 1)], 1))
    x = visual.transformer.resblocks[0](x)
    x = torch.cat([x[:, :-3], tokens[1][None].repeat(2, 1, 1)], 1)
    x = visual.transformer.resblocks[1](x)
    expected = F.normalize(visual.ln_post(x[:, 0]) @ visual.proj, dim=-1)
    assert torch.allclose(encode_pixels(tiny_backbone, images, tokens), expected, atol=1e-6)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_each_coupling_fills_the_layers_it_says(tiny_backbone: Backbone, coupling: str) -> None:
    """Each coupling gives tokens of each tower's own width in every layer it has, and none in the other tower."""
    prompts = prompts_of(tiny_backbone, coupling)
    tokens = prompts()
    assert [t.shape for t in tokens.text] == ([(3, 32)] * 2 if prompts.shape.has_text else [])
    assert [v.shape for v in tokens.vision] == ([(3, 32)] * 2 if prompts.shape.coupling != "text_only" else [])


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_every_parameter_reaches_the_output(tiny_backbone: Backbone, pixels: Pixels, coupling: str) -> None:
    """Every learned value has a gradient from the logits, and no weight of the model has one."""
    prompts = prompts_of(tiny_backbone, coupling)
    tokens = prompts()
    image = encode_pixels(tiny_backbone, pixels(2), tokens.vision)
    text = F.normalize(
        encode_tokens(tiny_backbone, ids_of(tiny_backbone, "a photo of a cube", "a photo of a mug"), tokens.text),
        dim=-1,
    )
    (image @ text.T)[:, 0].sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in prompts.parameters())
    assert all(p.grad is None for p in tiny_backbone.clip.parameters())


def test_coupled_layers_follow_their_maps(tiny_backbone: Backbone) -> None:
    """vision_to_text maps layer 0 from text and deeper layers from vision; text_to_vision maps every layer from text."""
    leads = prompts_of(tiny_backbone, "vision_to_text")
    tokens = leads()
    assert torch.equal(tokens.vision[0], leads.to_vision[0](tokens.text[0]))
    assert torch.equal(tokens.text[1], leads.to_text[0](tokens.vision[1]))
    follows = prompts_of(tiny_backbone, "text_to_vision")
    tokens = follows()
    assert all(
        torch.equal(v, to_vision(t))
        for v, t, to_vision in zip(tokens.vision, tokens.text, follows.to_vision, strict=True)
    )


def test_the_same_seed_draws_the_same_prompts(tiny_backbone: Backbone) -> None:
    """Initial values come from the given stream alone."""
    torch.manual_seed(1)
    one = prompts_of(tiny_backbone, "vision_to_text", seed=5).state_dict()
    torch.manual_seed(2)
    other = prompts_of(tiny_backbone, "vision_to_text", seed=5).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("length", "depth", "coupling"), [(0, 1, "text_only"), (1, 0, "text_only"), (1, 1, "sideways")]
)
def test_shapes_that_are_none_are_refused(length: int, depth: int, coupling: str) -> None:
    """No length, no depth and no such coupling are refused with a sentence."""
    with pytest.raises(BadRequest):
        PromptShape(coupling, length, depth)


def test_too_deep_is_refused_with_the_limit(tiny_backbone: Backbone) -> None:
    """More layers than the shorter tower has are refused, naming how many there are."""
    with pytest.raises(BadRequest, match="2 layers"):
        prompts_of(tiny_backbone, "independent", depth=3)


def test_room_is_made_for_long_prompts() -> None:
    """Where the template is shorter than the prompt, placeholder words stand in front; else it is left alone."""
    assert sentence_prefix("a photo of a {}.", 4, 2) == "a photo of a {}."
    assert sentence_prefix("{}", 0, 3) == "X X X {}"
