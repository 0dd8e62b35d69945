"""What a setting is when nobody has said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.records import TuneRequest
from capt_engine.tuning.defaults import chosen

REQUEST = TuneRequest("data", "out.safetensors")


def test_a_real_model_gets_the_published_values(tiny_backbone: Backbone) -> None:
    """Rate, epochs, batch and attack are the family's; the depth is cut to the shorter tower's layers."""
    found = chosen(REQUEST, tiny_backbone)
    assert (found.lr, found.epochs, found.batch_size, found.lambda_) == (0.0035, 10, 4, 2.5)
    assert (found.eps, found.attack_steps, found.attack_loss) == (1 / 255, 3, "ce")
    assert found.attack_step_size == pytest.approx(2 / 3 / 255)
    assert (found.shape.coupling, found.shape.n_ctx, found.shape.depth) == ("vision_to_text", 2, 2)


def test_methods_bring_their_own(tiny_backbone: Backbone) -> None:
    """FAP attacks in two full steps up KL; text-only prompts have one layer, 16 tokens and a lower rate."""
    fap = chosen(replace(REQUEST, method="fap", eps=2 / 255), tiny_backbone)
    assert (fap.attack_steps, fap.attack_step_size, fap.attack_loss, fap.lambda_) == (2, 2 / 255, "kl", 1.5)
    apt = chosen(replace(REQUEST, method="apt"), tiny_backbone)
    assert (apt.shape.n_ctx, apt.shape.depth, apt.lr) == (16, 1, 0.002)


def test_the_demo_has_values_of_its_own(tiny_backbone: Backbone) -> None:
    """The bundled models learn in larger steps; text-only prompts get the same length there."""
    demo = replace(tiny_backbone, id="demo")
    found, text_only = chosen(REQUEST, demo), chosen(replace(REQUEST, method="coop"), demo)
    assert found.lr > 0.0035
    assert text_only.shape.n_ctx == found.shape.n_ctx
    assert text_only.shape.depth == 1


def test_what_was_said_wins(tiny_backbone: Backbone) -> None:
    """A given value is used as it is, and a given depth that is too deep is refused instead of cut."""
    found = chosen(replace(REQUEST, lr=0.5, attack_step_size=0.1, epochs=3, n_ctx=1), tiny_backbone)
    assert (found.lr, found.attack_step_size, found.epochs, found.shape.n_ctx) == (0.5, 0.1, 3, 1)
    with pytest.raises(BadRequest, match="2 layers"):
        chosen(replace(REQUEST, depth=3), tiny_backbone)
