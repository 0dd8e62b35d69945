"""The engine on an accelerator without float64, as Apple's GPUs are, and on one that runs out of memory: the answers of the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from capt_engine.attacks import ATTACKS
from capt_engine.checks.table import CHECKS
from capt_engine.metrics import METRICS
from capt_engine.tuning.methods import METHODS

# The program takes half a minute of a core, and longer where others work on it.
pytestmark = pytest.mark.timeout(1800)

ROOT = Path(__file__).parents[2]

NO_WAIT = {"waits": 0, "copies to it": 0}
# An attack that stops at success asks after each step, or query, who is left, once for each of the targets that are tried in turn.
HALTS = {
    "apgd-t": {"waits": 2, "copies to it": 0},
    "square": {"waits": 1, "copies to it": 0},
}


def seen(folder: Path, *laws: str) -> dict[str, Any]:
    """What a program that has the device saw of laws: torch cannot forget a device, so no test has it in its own process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.devices.laws", str(folder), *laws],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def brief(tiny_folder: Path) -> dict[str, Any]:
    """A few cases of each law, in one process."""
    return seen(tiny_folder, "attacks", "evaluation", "metrics", "memory", "remembered", "tuning", "waits", "--brief")


@pytest.fixture(scope="module")
def whole(tiny_folder: Path) -> dict[str, Any]:
    """Every case of every law: minutes."""
    return seen(tiny_folder, "attacks", "checks", "memory", "methods", "waits", "gpu_script")


def test_attacks_run_there(brief: dict[str, Any]) -> None:
    """One of each way of stepping ends inside the ball, on pictures as good as the processor's."""
    require_attacks(brief["attacks"], 6)


@pytest.mark.heavy
def test_every_attack_runs_there(whole: dict[str, Any]) -> None:
    """With each norm and both roundings."""
    require_attacks(whole["attacks"], 40)
    assert {name.split()[0] for name in whole["attacks"]} == set(ATTACKS.names())


def require_attacks(found: dict[str, Any], n: int) -> None:
    """Fail where an attack left its ball or did not break the same pictures, or where there are fewer than n."""
    assert len(found) >= n
    assert not {name: one for name, one in found.items() if not (one["within"] and one["alike"])}
    # FAB and the attack on embeddings go where rounding errors send them; the others end on the same pixels.
    others = {name: one["differs"] for name, one in found.items() if not name.startswith(("fab", "embedding"))}
    assert not {name: far for name, far in others.items() if far > (1.01 / 255 if name.endswith("True") else 1e-5)}


def test_an_evaluation_says_what_the_processor_says(brief: dict[str, Any]) -> None:
    """Rows, measurements and checks."""
    require_alike(brief["evaluation"])


@pytest.mark.heavy
def test_every_check_says_what_the_processor_says(whole: dict[str, Any]) -> None:
    """On tuned prompts, so that there is a model beside them; only what the run does not ask for is not made."""
    found = whole["checks"]
    require_alike(found)
    assert found["there"].keys() == {*CHECKS.names()}
    left_out = {name for name, status in found["there"].items() if status == "not_run"}
    assert left_out <= {
        "gradient-signs",
        "survives-png",
        "enough-pictures",
        "huge-budget",
        "transfer-weaker",
        "monotone-budget",
    }


def test_every_metric_says_what_the_processor_says(brief: dict[str, Any]) -> None:
    """Of values on a device with float64 and on one without."""
    found = brief["metrics"]
    assert found["here"].keys() == {*METRICS.names()}
    for other in ("there", "with float64"):
        require_alike({"here": found["here"], "there": found[other]})


def test_tuning_learns_what_the_processor_learns(brief: dict[str, Any]) -> None:
    """The logits with the tuned prompts; loss, accuracy, norms and α of a step come from the device together, and nothing else does."""
    found = brief["tuning"]
    require_alike(found)
    assert not found["waits"]
    assert found["read"] == 2 * 10 // 5
    # In parts, where memory runs out.
    assert found["failures"] > 0
    require_alike({"here": found["here"], "there": found["starved"]})


@pytest.mark.heavy
def test_every_method_learns_what_the_processor_learns(whole: dict[str, Any]) -> None:
    """The logits after a step of each method that learns prompts."""
    require_alike(whole["methods"])
    assert set(whole["methods"]["there"]) == {one for one in METHODS.names() if not METHODS[one].learns_tower}


def require_alike(found: dict[str, Any]) -> None:
    """Fail where a value there is another than here."""
    there, here = flat(found["there"]), flat(found["here"])
    assert there.keys() == here.keys()
    assert not {key: (there[key], here[key]) for key in there if not alike(there[key], here[key])}


def test_the_host_does_not_wait_in_a_step(brief: dict[str, Any]) -> None:
    """Neither in an attack, except for who is left; nor in tuning, except for the one read-out; a model comes in one transfer."""
    require_counts(brief["waits"], 6)


@pytest.mark.heavy
def test_the_host_waits_in_no_attack(whole: dict[str, Any]) -> None:
    """With each norm."""
    require_counts(whole["waits"], 14)


def require_counts(found: dict[str, Any], n: int) -> None:
    """Fail where a count of waits or copies is not the one that is promised, or where there are fewer than n attacks."""
    assert found.pop("loading a model") == {"waits": 0, "copies to it": 1}
    assert found.pop("tuning, a step") == {"waits": 1, "copies to it": 7}
    found.pop("tuning, an epoch beside its steps")
    assert len(found) >= n
    # HopSkipJump decides by each answer what it asks next, and by a distance how far it goes in a round of many queries.
    for name in [one for one in found if one.startswith("hop-skip-jump")]:
        one = found.pop(name)
        assert 1 <= one["waits"] < 1.25, one
        assert one["copies to it"] < 0.25, one
    assert found == {name: HALTS.get(name.split()[0], NO_WAIT) for name in found}


def test_running_out_of_memory_is_survived(brief: dict[str, Any]) -> None:
    """Whatever there was no memory for: smaller batches give the same rows; where one picture does not fit, a sentence says so."""
    require_survived(brief["memory"], 6)


def test_memory_that_ran_out_is_remembered(brief: dict[str, Any]) -> None:
    """The next run begins with what fitted, and never with more than was asked for; where the device tells what is free, nothing fails."""
    found = brief["remembered"]
    rows = found["whole"]["rows"]
    assert {name: one["rows"] == rows for name, one in found.items()} == dict.fromkeys(found, True)
    assert found["whole"]["largest"] == 8
    assert found["first"]["failures"] > 0
    assert [found[name]["failures"] for name in ("second", "asked for less", "told")] == [0, 0, 0]
    assert found["second"]["largest"] <= found["first"]["largest"] // 2
    assert found["asked for less"]["largest"] <= 2
    assert 2 <= found["told"]["largest"] < 5


@pytest.mark.heavy
def test_running_out_of_memory_in_any_words_is_survived(whole: dict[str, Any]) -> None:
    """In those of CUDA, Apple's GPUs and Intel's, and of their libraries; early and late."""
    require_survived(whole["memory"], 30)


def require_survived(found: dict[str, Any], n: int) -> None:
    """Fail where rows are others than with enough memory, or where memory never ran out; n is the least number of cases of one failure."""
    rows, made, none = found.pop("whole"), found.pop("made"), found.pop("none")
    assert all(made.values()), made
    assert "ran out of memory on a single picture" in none["result"]
    assert len(found) > n
    assert {name: (one["failures"] > 0, one["result"] == rows) for name, one in found.items()} == dict.fromkeys(
        found, (True, True)
    )


@pytest.mark.heavy
def test_the_script_for_a_gpu_runs(whole: dict[str, Any]) -> None:
    """Each figure is there; TF32, which only NVIDIA's GPUs have, is said not to be measured."""
    found = whole["gpu_script"]
    assert len(found) == 2 * 3 + 2
    assert {name for name, one in found.items() if "not measured" in one} == {"PGD-1 tf32", "APGD-1 tf32"}
    assert found["equal verdicts "]["share"] == 1
    assert found["CAPT step "]["seconds a step"] > 0


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """The values of nested lists and dicts by their places."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {key: one for inner, part in items for key, one in flat(part, f"{name}/{inner}").items()}
    return {name: value}


def alike(one: Any, other: Any) -> bool:
    """True for equal values, and for numbers that differ by no more than rounding."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 2e-4 * max(1.0, abs(one), abs(other)) or one != one
    return bool(one == other)
