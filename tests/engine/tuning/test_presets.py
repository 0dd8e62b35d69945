"""What the wizard offers is what a run takes: presets, methods and Expert settings fit requests and show the defaults of the run."""

from __future__ import annotations

import dataclasses

import pytest

from capt_engine.errors import UnknownName
from capt_engine.records import TuneRequest
from capt_engine.tuning import presets
from capt_engine.tuning.defaults import chosen, of_demo
from capt_engine.tuning.methods import prompt_methods
from tests.engine.tuning.conftest import Runs

FIELDS = {field.name for field in dataclasses.fields(TuneRequest)}


def test_capt_comes_first_and_all_others_are_its_relatives() -> None:
    """Each has a sentence that ends as sentences do, and no two the same."""
    told = presets.methods()
    assert [one.name for one in told] == [one.name for one in prompt_methods()]
    assert [one.relative for one in told] == [False] + [True] * (len(told) - 1)
    assert all(one.summary.endswith(".") and len(one.summary) < 140 for one in told)
    assert len({one.summary for one in told}) == len(told)


@pytest.mark.parametrize("method", [one.name for one in prompt_methods()])
def test_a_methods_settings_are_those_that_a_run_takes(runs: Runs, method: str) -> None:
    """On a model that is none of the demo's, and as far as its layers reach."""
    told = dict(next(one.settings for one in presets.methods() if one.name == method))
    found = chosen(TuneRequest("d", "o", method=method), runs.backbone)
    taken = {**vars(found), **vars(found.shape)}
    assert told.keys() <= FIELDS
    depth = told.pop("depth")
    assert all(taken[name] == pytest.approx(value) for name, value in told.items())
    assert found.shape.depth == min(int(depth), 2)


def test_presets_name_settings_that_there_are() -> None:
    """Quick first, with fewer epochs than the others; the summary of the paper's says what is not known."""
    assert presets.PRESETS.names() == ("quick", "balanced", "paper")
    for preset in presets.PRESETS:
        assert {name for name, _ in preset.settings} <= {one.name for one in presets.settings()}
    epochs = [dict(preset.settings)["epochs"] for preset in presets.PRESETS]
    assert epochs[0] == min(epochs)
    assert "does not say" in presets.PRESETS["paper"].summary


def test_a_preset_leaves_alone_what_was_said() -> None:
    """Explicit settings win; an unknown preset is answered with the nearest."""
    said = TuneRequest("d", "o", epochs=7)
    assert presets.with_preset(said, "quick", said=["epochs"]) == TuneRequest("d", "o", epochs=7, attack_steps=2)
    assert presets.with_preset(TuneRequest("d", "o"), "balanced").patience == 5
    with pytest.raises(UnknownName, match="'quick'"):
        presets.with_preset(said, "quik")


def test_every_expert_setting_can_be_asked_for() -> None:
    """Its name is a field, its default lies within its own bounds, and a sentence says what it means; the seed is none of them."""
    told = presets.settings()
    names = [one.name for one in told]
    assert set(names) <= FIELDS
    assert "seed" not in names
    assert len(set(names)) == len(names)
    for one in told:
        assert one.help.endswith(".")
        if one.kind == "choice":
            assert one.default in one.choices
        else:
            assert one.low is not None
            assert one.high is not None
            assert one.low <= float(one.default) <= one.high
    of_capt = dict(presets.methods()[0].settings)
    assert {one.name: one.default for one in told if one.name in of_capt} == of_capt


def test_no_model_but_the_demo_has_settings_of_its_own() -> None:
    """The demo models are a hundred times smaller, so their rate is another; others take the method's."""
    assert of_demo("demo")["lr"] == 0.035
    assert of_demo("ViT-B-32") == {}
