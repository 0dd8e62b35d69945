"""Networks that are built without drawing their first weights: each weight comes from the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from capt_engine.bundled_models import BUNDLED
from capt_engine.model import clip
from capt_engine.model.blank_weights import BlankWeights


class Spoilt(BlankWeights):
    """What is not drawn is no number, rather than what the memory happens to hold."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Fill what is left alone with NaN."""
        found = super().__torch_function__(func, types, args, kwargs)
        return found.fill_(torch.nan) if args and found is args[0] and func.__name__.endswith("form_") else found


def test_nothing_is_drawn_while_it_is_entered() -> None:
    """Building a network leaves the stream of random numbers where it was, and afterwards it is drawn again."""
    before = torch.random.get_rng_state()
    with BlankWeights():
        nn.Sequential(nn.Linear(4, 4), nn.Embedding(3, 4), nn.Conv2d(3, 4, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    nn.Linear(4, 4)
    assert not torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("model", BUNDLED)
def test_no_weight_of_a_bundled_model_is_left_blank(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose undrawn weights are no numbers is loaded whole: each was replaced by what the file holds."""
    monkeypatch.setattr(clip, "BlankWeights", Spoilt)
    backbone = clip.load_backbone(model, torch.device("cpu"))
    assert all(value.isfinite().all() for value in backbone.clip.state_dict().values())
