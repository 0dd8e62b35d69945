"""Step 3 without a widget: what is chosen, what is asked, and what is said of its cost."""

from __future__ import annotations

from dataclasses import replace

from conftest import Bench
from fakes import READY
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from capt_engine.records import Event, Failure, ForecastRequest, JobFailed, JobFinished, JobId, TuneForecast
from capt_gui.view_models.tune.method_model import MethodModel

SHORT = TuneForecast(72, 240.0, 640_000_000, 24_832, 8)


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def ready(bench: Bench) -> MethodModel:
    """The model with a catalogue; a choice settles at once when a test says so."""
    play(bench, READY)
    return bench.desk.tuning.method


def trials(bench: Bench) -> list[JobId]:
    """The forecasts that were asked for; other models ask other things."""
    return [JobId(n) for n, one in enumerate(bench.engine.requests, 1) if isinstance(one, ForecastRequest)]


def last(bench: Bench) -> JobId:
    """The forecast asked for last."""
    return trials(bench)[-1]


def test_capt_and_quick_are_chosen_first(bench: Bench) -> None:
    """A newcomer who touches nothing tunes with CAPT, quickly; relatives wait apart."""
    model = ready(bench)
    assert [method.name for method in model.methods] == ["capt"]
    assert {method.name for method in model.relatives} == {"fap", "apt"}
    assert model.method is not None
    assert model.method.name == "capt"
    assert model.preset is not None
    assert model.preset.name == "quick"
    assert model.problem() == ""


def test_a_setting_is_the_users_else_the_presets_else_the_methods(bench: Bench) -> None:
    """Each layer covers the one below it, and the form shows the layers below as its defaults."""
    model = ready(bench)
    assert model.value("epochs") == 3
    model.set_method("apt")
    assert model.value("lr") == 0.002
    model.project.change(settings=(("epochs", 7),))
    assert model.value("epochs") == 7
    assert model.values() == (("epochs", 7),)
    assert next(param.default for param in model.params() if param.name == "epochs") == 3


def test_a_preset_replaces_what_it_names_and_leaves_the_rest(bench: Bench) -> None:
    """Who chooses a preset means it; settings it does not speak of stay."""
    model = ready(bench)
    model.project.change(settings=(("epochs", 7), ("lambda_", 4.0)))
    model.set_preset("paper")
    assert model.value("epochs") == 50
    assert model.value("lambda_") == 4.0


def test_the_request_carries_all_that_was_chosen(bench: Bench) -> None:
    """Model, method, shots, seed, preset and Expert settings reach the engine; files lie in the project's own folder."""
    model = ready(bench)
    project = bench.desk.tuning.project
    project.change(shots=4, seed=3, model="photos", template="a {}.")
    model.project.change(settings=(("lambda_", 4.0),))
    request = model.request()
    assert (request.model, request.method, request.shots, request.seed) == ("photos", "capt", 4, 3)
    assert (request.epochs, request.attack_steps, request.lambda_, request.template) == (3, 2, 4.0, "a {}.")
    assert request.data == str(project.folder / "split.csv")
    assert request.out == str(project.folder / "prompts.safetensors")
    assert not request.resume
    assert model.request(True).resume


def test_what_measures_is_stronger_than_what_trains(bench: Bench) -> None:
    """By default: the same budget, many more steps; another budget can be chosen, and taken back."""
    model = ready(bench)
    assert model.test_eps == model.eps == 1 / 255
    assert bench.desk.tuning.project.state.test_steps == 100
    assert isinstance(steps := model.value("attack_steps"), int)
    assert steps < 100
    model.project.change(test_eps=4 / 255)
    assert model.test_eps == 4 / 255
    assert model.eps == 1 / 255
    model.project.change(test_eps=None)
    assert model.test_eps == 1 / 255


def test_a_choice_that_settles_is_tried(bench: Bench, qtbot: QtBot) -> None:
    """The forecast is asked for by itself, once, and told in words with the machine."""
    model = ready(bench)
    model.set_watched(True)
    assert model.is_trying
    assert not trials(bench)
    qtbot.waitUntil(lambda: bool(trials(bench)))
    assert bench.engine.requests[last(bench) - 1] == ForecastRequest(model.request())
    play(bench, JobFinished(last(bench), SHORT))
    headline, details = model.forecast_text()
    assert headline == "About 4 minutes, 610 MiB of memory"
    assert "CPU, 2 cores" in details
    assert "72 steps of 8 pictures" in details
    model.set_watched(False)
    model.set_watched(True)
    assert not model.is_trying


def test_the_forecast_tells_the_test_that_follows(bench: Bench, qtbot: QtBot) -> None:
    """Of the prompts and of none, on the test pictures of the split, with the steps of the test's own attack."""
    model = ready(bench)
    rows = "".join(f"/a/{at}.png,cat,{'test' if at < 30 else 'train'}\n" for at in range(50))
    model.project.split_file.parent.mkdir(parents=True, exist_ok=True)
    model.project.split_file.write_text(f"path,label,split\n{rows}", encoding="utf-8")
    model.set_watched(True)
    qtbot.waitUntil(lambda: bool(trials(bench)))
    play(bench, JobFinished(last(bench), replace(SHORT, step_seconds=0.02)))
    assert model.project.state.test_steps == 100
    assert SHORT.test_seconds(30, 100) == 0.0
    assert model.forecast_text()[0] == "About 4 minutes, then about 2 minutes of tests, 610 MiB of memory"


def test_a_new_choice_cancels_the_trial_of_the_old_one(bench: Bench, qtbot: QtBot) -> None:
    """Nobody waits for the cost of what is no longer chosen, and a late answer is not taken for the new one."""
    model = ready(bench)
    model.set_watched(True)
    qtbot.waitUntil(lambda: bool(trials(bench)))
    old = last(bench)
    model.set_preset("balanced")
    assert bench.engine.cancelled == [old]
    play(bench, JobFinished(old, SHORT))
    assert model.forecast is None
    qtbot.waitUntil(lambda: len(trials(bench)) == 2)


def test_nothing_is_tried_while_nobody_looks(bench: Bench, qtbot: QtBot) -> None:
    """Leaving the step stops its trial, and changes made elsewhere start none."""
    model = ready(bench)
    model.set_watched(True)
    qtbot.waitUntil(lambda: bool(trials(bench)))
    model.set_watched(False)
    assert bench.engine.cancelled == [last(bench)]
    model.set_preset("paper")
    assert not model.is_trying


def test_a_long_run_suggests_the_quick_preset(bench: Bench, qtbot: QtBot) -> None:
    """More than half an hour leads to Quick; Quick itself is never told to be quicker."""
    model = ready(bench)
    model.set_preset("paper")
    model.set_watched(True)
    qtbot.waitUntil(lambda: bool(trials(bench)))
    play(bench, JobFinished(last(bench), TuneForecast(9000, 7200.0, 10**9, 24_832, 8)))
    assert model.suggests_quick
    assert "about 2.0 hours" in model.cost_of(model.presets[2])
    model.take_quick()
    assert bench.desk.tuning.project.state.preset == "quick"
    assert not model.suggests_quick


def test_a_trial_that_fails_says_why(bench: Bench, qtbot: QtBot) -> None:
    """The engine's sentence stands where the forecast would."""
    model = ready(bench)
    model.set_watched(True)
    qtbot.waitUntil(lambda: bool(trials(bench)))
    play(bench, JobFailed(last(bench), Failure("BadRequest", "A batch of 0 makes no sense.", "Choose one from 1.")))
    assert model.forecast_text() == ("A batch of 0 makes no sense.", "Choose one from 1.")


def test_without_the_engine_nothing_can_be_started(bench: Bench) -> None:
    """Until the catalogue is there, the step says what it waits for."""
    assert bench.desk.tuning.method.problem() == bench.desk.engine.waiting_text
