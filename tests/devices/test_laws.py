"""The engine on an accelerator without float64, as Apple's GPUs are, and on one that runs out of memory: the answers of the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def seen(law: str, folder: Path) -> dict[str, Any]:
    """What a program that has the device saw of a law: torch cannot forget a device, so no test has it in its own process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.devices.laws", law, str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_attack_runs_there(tiny_folder: Path) -> None:
    """With each norm and both roundings, inside the ball, to the same pixels as on the processor, or as good ones."""
    found = seen("attacks", tiny_folder)
    assert len(found) > 40
    assert not {name: one for name, one in found.items() if not (one["within"] and one["alike"])}
    # FAB and the attack on embeddings go where rounding errors send them; the others end on the same pixels.
    others = {name: one["differs"] for name, one in found.items() if not name.startswith(("fab", "embedding"))}
    assert not {name: far for name, far in others.items() if far > (1.01 / 255 if name.endswith("True") else 1e-5)}


def test_an_evaluation_says_what_the_processor_says(tiny_folder: Path) -> None:
    """Rows, measurements and checks."""
    require_alike(seen("evaluation", tiny_folder))


def test_tuning_learns_what_the_processor_learns(tiny_folder: Path) -> None:
    """The logits with the tuned prompts; loss, accuracy, norms and α of a step come from the device together, and nothing else does."""
    found = seen("tuning", tiny_folder)
    require_alike(found)
    assert not found["waits"]
    assert found["read"] == 2 * 8 // 4


def require_alike(found: dict[str, Any]) -> None:
    """Fail where a value there is another than here."""
    there, here = flat(found["there"]), flat(found["here"])
    assert there.keys() == here.keys()
    assert not {key: (there[key], here[key]) for key in there if not alike(there[key], here[key])}


def test_no_attack_step_waits_for_the_device(tiny_folder: Path) -> None:
    """Except where an attack stops at success: each of its targets then asks once a step who is left."""
    found = seen("waits", tiny_folder)
    assert len(found) > 12
    stops = {name: found.pop(name) for name in [*found] if name.startswith("apgd-t ")}
    assert set(stops.values()) == {2.0}
    assert not {name: waits for name, waits in found.items() if waits}


def test_running_out_of_memory_is_survived_or_said(tiny_folder: Path) -> None:
    """In the words of CUDA and of Apple's GPUs: smaller batches give the same rows; where nothing fits, a sentence says so."""
    found = seen("memory", tiny_folder)
    whole = found.pop("whole")
    assert len(found) == 8
    for name, rows in found.items():
        assert rows == whole or "out of memory" in rows, name
    assert any(rows == whole for rows in found.values())


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
