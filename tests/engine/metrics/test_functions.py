"""The functions of tensors that measure: each is called as its docstring says."""

from __future__ import annotations

import doctest
import importlib
import inspect

import pytest
import torch

from capt_engine import metrics
from capt_engine.metrics.alpha import AlphaRule

MODULES = ("alpha", "calibration", "consistency", "distortion", "features", "prediction")
FUNCTIONS = tuple(name for name, one in vars(metrics).items() if inspect.isfunction(one))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run_as_written(name: str) -> None:
    """Every example of a module gives what stands below it."""
    failed, tried = doctest.testmod(importlib.import_module(f"capt_engine.metrics.{name}"))
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_shapes_and_shows_an_example(name: str) -> None:
    """Arguments, result and an example stand in the docstring, and each argument by its name."""
    function = getattr(metrics, name)
    text = inspect.getdoc(function) or ""
    assert all(section in text for section in ("Args:", "Returns:", "Example:", ">>> "))
    assert all(f"    {argument}: " in text for argument in inspect.signature(function).parameters)


def test_the_calibration_error_of_known_answers() -> None:
    """Sure and right is 0, sure and wrong is 1, and of no pictures there is none."""
    sure = torch.tensor([[90.0, 0.0]] * 3)
    assert metrics.ece(sure, torch.tensor([0, 0, 0])) == pytest.approx(0)
    assert metrics.ece(sure, torch.tensor([1, 1, 1])) == pytest.approx(1)
    with pytest.raises(ValueError, match="no pictures"):
        metrics.ece(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))


def test_the_rule_of_prompts_is_what_they_were_tuned_with() -> None:
    """CAPT's prompts have the rule that their settings name; other methods, and settings that make no sense, have the default."""
    settings = {"alpha": "const", "alpha_const": 0.2, "kl_direction": "js"}
    assert AlphaRule.of("capt", settings) == AlphaRule("const", 0.2, "js")
    assert AlphaRule.of("fap", settings) == AlphaRule.of("capt", {}) == AlphaRule()
    assert AlphaRule.of("capt", settings | {"alpha": "magic"}) == AlphaRule()
    assert [name for name in ("label_prob", "batch", "schedule", "ramped") if AlphaRule(name).is_per_picture] == [
        "label_prob"
    ]
