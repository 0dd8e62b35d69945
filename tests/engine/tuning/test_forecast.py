"""The forecast of a run: measured on a few of its own pictures, for every method, and nothing is written or changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from capt_engine.errors import BadRequest
from capt_engine.records import TuneForecast
from capt_engine.tuning import forecast as module
from capt_engine.tuning.methods import METHODS
from capt_engine.tuning.objective import OBJECTIVES, Settings, Terms, Views
from capt_engine.tuning.run import foresee
from tests.engine.tuning.conftest import Runs, write_pictures

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


def test_memory_that_runs_out_is_met_with_a_smaller_batch(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forecast is of the batch that fits, as the run would come to it."""
    real = OBJECTIVES["capt"]

    def objective(views: Views, settings: Settings) -> Terms:
        if len(views.labels) > 1:
            raise torch.OutOfMemoryError("no more")
        return real(views, settings)

    monkeypatch.setitem(OBJECTIVES, "capt", objective)
    assert foretold(runs, batch_size=4).batch_size == 1


def test_the_forecast_comes_near(runs: Runs, tmp_path: Path) -> None:
    """Within a factor of four of what the run then takes; the tiny model's steps take milliseconds, so no closer is asked here."""
    told = foretold(runs, epochs=4)
    result = runs(epochs=4, out=str(tmp_path / "timed.safetensors"))
    assert told.seconds / 4 < result.seconds < told.seconds * 4
