"""Tuning through the real door: others run inside it without changing a bit, and the printed command makes the same file."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from capt_engine.api import Engine
from capt_engine.cli.main import main
from capt_engine.demo.class_folders import write_class_folders
from capt_engine.jobs import handlers
from capt_engine.jobs.worker_threads import science
from capt_engine.model import checkpoints
from capt_engine.model.store.prompt_store import own_folder
from capt_engine.records import (
    AnalyzeRequest,
    AttackSpec,
    CatalogueChanged,
    EngineReady,
    EvaluateRequest,
    ForecastRequest,
    JobCancelled,
    JobContinued,
    JobFinished,
    JobId,
    PreviewRequest,
    Request,
    RunOptions,
    SaveTunedRequest,
    ThreatModel,
    TuneEpoch,
    TuneForecast,
    TuneNewsReady,
    TuneRequest,
    TuneResult,
)
from tests.engine.jobs.light import ENDINGS, Witness

SHORT: dict[str, Any] = {"shots": 2, "epochs": 3, "batch_size": 2, "attack_steps": 1, "device": "cpu", "seed": 4}


def nothing(_: object) -> None:
    """What most tests do about events while they arrive."""


class Desk:
    """One engine; `react` hears every event on the worker's thread, so what it asks for comes at that very moment of a run."""

    def __init__(self) -> None:
        self.heard = Witness()
        self.react: Callable[[Any], None] = nothing
        self.engine = Engine(self._on_event, device="cpu")

    def _on_event(self, event: Any) -> None:
        self.react(event)
        self.heard(event)

    def ending(self, job: JobId) -> Any:
        """How a job ended."""
        return self.heard.wait_for(*ENDINGS, of=job, timeout_s=60)

    def result(self, request: Request) -> Any:
        """The result of a job that must not fail."""
        ending = self.ending(self.engine.submit(request))
        assert isinstance(ending, JobFinished), ending
        return ending.result

    def at_epoch(self, request: TuneRequest, epoch: int, act: Callable[[JobId], None]) -> Any:
        """Tune, do something when an epoch has ended, and say how the run ended."""

        def react(event: Any) -> None:
            if isinstance(event, TuneNewsReady) and any(
                isinstance(one, TuneEpoch) and one.epoch == epoch for one in event.news
            ):
                act(event.job)

        self.react = react
        try:
            return self.ending(self.engine.submit(request))
        finally:
            self.react = nothing


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """One engine for the tests of this module."""
    desk = Desk()
    # Its worker for files begins with its first request, and would be a thread that some test left running.
    desk.result(PreviewRequest(()))
    yield desk
    assert desk.engine.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five materials of the toy world, four pictures each."""
    folder = tmp_path_factory.mktemp("toy") / "two words"
    write_class_folders(folder, "materials", "train", "plain", 4, 0, lambda *_: None)
    return folder


@pytest.fixture
def request_of(tiny_folder: Path, data: Path, tmp_path: Path) -> Any:
    """A function of (stem, **changes): a short run of the tiny model."""

    def request_of(stem: str, **changes: Any) -> TuneRequest:
        values: dict[str, Any] = {**SHORT, "model": f"local-dir:{tiny_folder}", **changes}
        return TuneRequest(str(data), str(tmp_path / f"{stem}.safetensors"), **values)

    return request_of


def test_others_run_inside_and_change_not_a_bit(desk: Desk, request_of: Any, data: Path, tiny_folder: Path) -> None:
    """Analyses by this and by another model, previews and a forecast, in the middle of a run and of its pause: the same bytes."""
    quiet: TuneResult = desk.result(request_of("quiet"))
    request = request_of("disturbed")
    pictures = tuple(str(path) for path in sorted(data.rglob("*.png"))[:3])
    attack = AttackSpec("pgd", (("steps", 2),))
    mine = AnalyzeRequest(
        pictures, attack=attack, options=RunOptions(model=f"local-dir:{tiny_folder}", classes=("glass", "wood"))
    )
    others: list[Request] = [
        mine,
        replace(mine, paths=pictures[:1], options=replace(mine.options, model="demo")),
        PreviewRequest(pictures),
        ForecastRequest(request_of("never")),
    ]
    jobs: list[JobId] = []

    def disturb(job: JobId) -> None:
        desk.engine.pause(job)
        jobs.extend(desk.engine.submit(other) for other in others)
        threading.Thread(target=lambda: (desk.ending(jobs[-1]), desk.engine.resume(job))).start()

    ending = desk.at_epoch(request, 1, disturb)
    assert isinstance(ending, JobFinished), ending
    endings = [desk.ending(job) for job in jobs]
    assert all(isinstance(one, JobFinished) for one in endings), endings
    kinds = desk.heard.of(ending.job)
    assert kinds.index("JobPaused") < kinds.index("JobContinued")
    events = desk.heard.events
    assert max(map(events.index, endings)) < events.index(JobContinued(ending.job))
    assert Path(request.out).read_bytes() == Path(quiet.out).read_bytes()


def test_what_holds_at_a_tick_does_not_hold_in_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients are on in every job, whatever the tuning run was doing when it stepped aside."""
    seen: list[tuple[bool, bool]] = []

    def handler(*_: object) -> str:
        seen.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        return "seen"

    class Asked:
        """A request of no kind that there is."""

    handle: Any = science("cpu", nothing)
    monkeypatch.setitem(handlers.HANDLERS, Asked, handler)
    for state in (torch.no_grad(), torch.inference_mode()):
        with state:
            handle(JobId(1), Asked(), nothing, None)
            assert not torch.is_grad_enabled()
    assert seen == [(True, False), (True, False)]


def test_stop_and_keep_through_the_door_is_its_command(
    desk: Desk, request_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is stopped finishes with a command which names the epoch, and that command writes the same bytes."""
    request = request_of("stopped", epochs=10_000, notes="two\nlines and 'quotes'", name="-odd name")
    result = desk.at_epoch(request, 2, desk.engine.stop).result
    assert isinstance(result, TuneResult)
    assert result.stopped_after == 2
    words = shlex.split(result.command)
    assert words[:2] == ["capt", "tune"]
    assert words[words.index("--stop-after") + 1] == str(result.stopped_after)
    (tmp_path / "again").mkdir()
    monkeypatch.chdir(tmp_path / "again")
    assert main([*words[1:], "--quiet"]) == 0
    assert Path("stopped.safetensors").read_bytes() == Path(request.out).read_bytes()


def test_stopped_before_its_first_epoch_is_cancelled_with_a_reason(desk: Desk, request_of: Any) -> None:
    """There is nothing to keep, and that is said."""
    request = request_of("early")
    ending = desk.at_epoch(request, 0, desk.engine.stop)
    assert isinstance(ending, JobCancelled)
    assert "there are no prompts to keep yet" in ending.reason
    assert not Path(request.out).exists()


def test_a_forecast_through_the_door(desk: Desk, request_of: Any, tmp_path: Path) -> None:
    """For the tower too; nothing is written."""
    for changes in ({}, {"method": "tecoa"}):
        told = desk.result(ForecastRequest(request_of("f", **changes)))
        assert isinstance(told, TuneForecast)
        assert told.n_train == 10
    assert list(tmp_path.iterdir()) == []


def test_the_catalogue_offers_methods_presets_and_settings(desk: Desk) -> None:
    """They come with the first event."""
    catalogue = desk.heard.wait_for(EngineReady, timeout_s=60).catalogue
    assert catalogue.methods[0].name == "capt"
    assert [one.name for one in catalogue.presets] == ["quick", "balanced", "paper"]
    assert {"lambda_", "alpha", "eps", "lr"} <= {one.name for one in catalogue.tuning}
    assert {one.id: dict(one.tuning).get("lr") for one in catalogue.models} == {
        "photo": None,
        "photo-robust": None,
        "demo": 0.035,
        "demo-robust": 0.035,
    }


def test_the_demo_tuned_saved_and_repeated(
    desk: Desk, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the window does it: tune, measure, name, save to store and folder; the printed command then writes the saved file's bytes."""
    out = tmp_path / "project" / "prompts.safetensors"
    out.parent.mkdir()
    request = TuneRequest(
        str(data), str(out), model="demo", **{**SHORT, "shots": 1, "epochs": 1}, subsample_classes="base"
    )
    result: TuneResult = desk.result(request)
    run = tmp_path / "run"
    desk.result(
        EvaluateRequest(
            data=str(data),
            split="",
            attacks=(AttackSpec("pgd", (("steps", 1),)),),
            limit=2,
            options=RunOptions(
                model="demo",
                prompts=None,
                compare=str(out),
                threat=ThreatModel(eps=1 / 255),
                keep=str(run),
                device="cpu",
            ),
        )
    )
    made_by = replace(request, stop_after=result.stopped_after)
    folder = tmp_path / "given away"
    saved = desk.result(
        SaveTunedRequest(
            str(out),
            "Five Materials!",
            "By hand.",
            "cc-by-4.0",
            str(folder),
            (str(run),),
            in_store=True,
            made_by=made_by,
        )
    )
    store = own_folder() / "five-materials.safetensors"
    try:
        assert saved.prompts.id == "five-materials"
        assert any(isinstance(event, CatalogueChanged) for event in desk.heard.events)
        assert [Path(file).name for file in saved.files] == [
            "five-materials.safetensors",
            "README.md",
            "manifest.json",
            store.name,
        ]
        before, after = checkpoints.read(out), checkpoints.read(store)
        assert all(torch.equal(value, after.state[name]) for name, value in before.state.items())
        assert after.document.settings["label"] == "Five Materials!"
        assert (after.document.licence, after.document.notes.splitlines()[0]) == ("cc-by-4.0", "By hand.")
        words = shlex.split(saved.command)
        monkeypatch.chdir(tmp_path)
        assert main([*words[1:], "--out", "again.safetensors", "--quiet"]) == 0
        assert Path("again.safetensors").read_bytes() == store.read_bytes()
        assert (folder / store.name).read_bytes() == store.read_bytes()
        card = (folder / "README.md").read_text(encoding="utf-8")
        assert "zero-shot (plain CLIP)" in card
        assert "McNemar" in card
        assert "--lambda" not in card
        told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert told["request"]["data"] == "two words"
        assert str(tmp_path) not in json.dumps(told) + card
    finally:
        store.unlink()
