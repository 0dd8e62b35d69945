"""The forecast of a run: measured on a few of its own pictures, for every method, and nothing is written or changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch

from capt_engine import progress
from capt_engine.errors import BadRequest
from capt_engine.records import TuneForecast
from capt_engine.tuning import forecast as module
from capt_engine.tuning import loop, run, run_inputs
from capt_engine.tuning.methods import METHODS
from capt_engine.tuning.objective import OBJECTIVES, Settings, Terms, Views
from capt_engine.tuning.prompted import PromptedClip
from capt_engine.tuning.run import foresee
from capt_engine.tuning.run_inputs import Pictures
from capt_engine.tuning.validation import Measured, Validator
from tests.engine.tuning.conftest import Runs, write_pictures


@dataclass
class ActedCosts:
    """Seconds that have passed on a clock of our own, and what they were spent on."""

    COST_S: ClassVar = {"read": 0.5, "validate": 2.0, "step": 3.0}
    now_s: float = 1000.0
    warm_up_s: float = 0.0
    done: Counter[str] = field(default_factory=Counter)

    def spend(self, what: str, times: int = 1) -> None:
        """Let the work take its time."""
        self.done[what] += times
        self.now_s += times * self.COST_S[what]
        if what == "step":
            self.now_s += self.warm_up_s
            self.warm_up_s = 0.0


TEXT_ONLY: dict[str, object] = {"n_ctx": 4, "depth": 1}


def foretold(runs: Runs, **changes: object) -> TuneForecast:
    """The forecast of the usual short run."""
    return foresee(runs.request(**changes), runs.backbone, lambda _: runs.backbone, lambda *_: None)


@pytest.mark.parametrize("method", METHODS.names())
def test_every_method_is_foretold_and_nothing_is_written(runs: Runs, method: str) -> None:
    """Steps, time, memory, sizes and the device, from a request whose file need not even be possible."""
    before = sorted(runs.out.parent.rglob("*"))
    shape = {"depth": None} if method == "tecoa" else TEXT_ONLY if method in ("coop", "apt") else {}
    told = foretold(runs, method=method, out="", **shape)
    assert (told.batch_size, told.epochs, told.steps, told.n_train, told.n_val) == (3, 2, 4, 6, 6)
    assert 0 < told.validation_seconds < told.epoch_seconds < told.seconds
    assert told.epoch_seconds * 2 < told.seconds
    assert told.parameters > 0
    assert told.memory_bytes > 10**7
    assert told.device.startswith("CPU")
    assert sorted(runs.out.parent.rglob("*")) == before


def test_it_is_about_the_whole_run_though_few_pictures_are_read(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the pictures are twice the steps, and no more pictures are opened; those not opened count for memory and time."""
    opened: list[int] = []
    real = module.read_all

    def read_all(request: object, drawn: object, *rest: object, **more: object) -> object:
        found = real(request, drawn, *rest, **more)  # type: ignore[arg-type]
        opened.append(found.count)
        return found

    monkeypatch.setattr(module, "read_all", read_all)
    write_pictures(runs.out.with_name("many"), 40)
    few = foretold(runs, data=str(runs.out.with_name("many")), shots=4)
    many = foretold(runs, data=str(runs.out.with_name("many")), shots=36)
    assert (few.n_train, many.n_train, few.n_val, many.n_val) == (12, 108, 12, 12)
    assert (few.steps, many.steps) == (8, 72)
    assert opened == [15, 15]


def test_a_run_that_is_to_stop_early_is_foretold_as_such(runs: Runs) -> None:
    """With stop_after only those epochs are counted."""
    told = foretold(runs, epochs=10, stop_after=3)
    assert (told.epochs, told.steps) == (3, 6)


def test_what_cannot_be_is_said_before_the_run(runs: Runs) -> None:
    """Settings that make no sense, and pictures none of which can be read."""
    with pytest.raises(BadRequest, match="rule for α"):
        foretold(runs, alpha="guess")
    with pytest.raises(BadRequest, match="knows no coupling"):
        foretold(runs, method="tecoa", coupling="text_only")
    for file in runs.folder.rglob("*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(BadRequest, match="can be read"):
        foretold(runs)


def test_memory_that_runs_out_changes_no_batch(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecast is of the batch that was asked for, in parts that fit, as the run would come to it."""
    real = PromptedClip.logits

    def logits(self: PromptedClip, images: torch.Tensor, *rest: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if torch.is_grad_enabled() and len(images) > 2:
            raise torch.OutOfMemoryError("no more")
        return real(self, images, *rest)

    monkeypatch.setattr(PromptedClip, "logits", logits)
    assert foretold(runs, batch_size=4).batch_size == 4


@pytest.fixture
def acted(monkeypatch: pytest.MonkeyPatch) -> ActedCosts:
    """A clock that only the work itself moves, by a fixed amount for each picture and each step."""
    costs, capt, measure = ActedCosts(), OBJECTIVES["capt"], Validator.measure

    def objective(views: Views, settings: Settings) -> Terms:
        costs.spend("step")
        return capt(views, settings)

    def measured(self: Validator, *rest: Any) -> Measured:
        costs.spend("validate", len(self))
        return measure(self, *rest)

    def read_all(*given: Any, **more: Any) -> Pictures:
        found = run_inputs.read_all(*given, **more)
        costs.spend("read", found.count)
        return found

    monkeypatch.setitem(OBJECTIVES, "capt", objective)
    monkeypatch.setattr(Validator, "measure", measured)
    for reader in (module, run):
        monkeypatch.setattr(reader, "read_all", read_all)
    for timed in (progress, loop):
        monkeypatch.setattr(timed, "time", SimpleNamespace(monotonic=lambda: costs.now_s))
    return costs


def test_the_forecast_is_what_the_run_then_takes(runs: Runs, tmp_path: Path, acted: ActedCosts) -> None:
    """A quarter of the pictures are read and three steps tried, and the whole run is foretold to the second but for its own trial."""
    write_pictures(tmp_path / "many", 40)
    changes: dict[str, object] = {"data": str(tmp_path / "many"), "shots": 16, "epochs": 3}
    told = foretold(runs, **changes)
    assert acted.done == {"read": 3 + 12, "validate": 12, "step": module.DRY_STEPS}
    acted.done.clear()
    result = runs(**changes)
    assert (told.n_train, told.n_val) == (48, 12)
    assert acted.done == {"read": 60, "validate": 4 * 12, "step": 3 * 16 + module.DRY_STEPS}
    assert told.seconds == pytest.approx(result.seconds - module.DRY_STEPS * acted.COST_S["step"])


def test_a_first_step_that_warms_up_is_not_taken_for_the_others(runs: Runs, acted: ActedCosts) -> None:
    """The first step of all takes a minute more; the forecast is that of a run whose steps are all alike."""
    even = foretold(runs, epochs=4)
    acted.warm_up_s = 60.0
    assert foretold(runs, epochs=4).seconds == pytest.approx(even.seconds)
