"""Step 3 of the wizard: which model is tuned, how, and what that will take."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import (
    Failure,
    ForecastRequest,
    JobProgress,
    MethodInfo,
    ModelInfo,
    ParamInfo,
    ParamValue,
    PresetInfo,
    TuneForecast,
    TuneRequest,
)
from capt_gui.bridge import About, Bridge
from capt_gui.view_models import formatting
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.navigation import TUNE
from capt_gui.view_models.one_job import OneJob
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.test_share import MOST_MEASURED, test_pictures

# a choice that settles: long enough for somebody who turns a number up click by click
_SETTLES_MS = 700
# what nobody wants to wait for without having been asked
_TOO_LONG_S = 1800.0
_USUAL_EPS = 1 / 255

Values = tuple[tuple[str, ParamValue], ...]


class MethodModel(OneJob):
    """Reads the choices from the project and writes them there. `changed`: a choice, or what is known of its cost."""

    changed = Signal()

    def __init__(
        self, bridge: Bridge, engine: EngineState, project: TuneProject, parent: QObject | None = None
    ) -> None:
        super().__init__(bridge, parent)
        self._engine = engine
        self.project = project
        # what was tried last: the run, and when its split was written
        self._requested: tuple[TuneRequest, float] | None = None
        self.forecast: TuneForecast | None = None
        # the pictures of the test that follows a run
        self._n_test = 0
        self.failure: Failure | None = None
        # what the trial is doing, in words
        self.note = ""
        # only while the step is in front: nobody wants a trial of what is still being chosen elsewhere
        self._watched = False
        self._settles = QTimer(self, singleShot=True, interval=_SETTLES_MS)
        self._settles.timeout.connect(self.on_settled)
        engine.changed.connect(self.on_changed)
        project.changed.connect(self.on_changed)

    # what there is to choose from

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """Every model that can be tuned, from the catalogue; empty until the engine is ready."""
        return self._engine.catalogue.models

    @property
    def methods(self) -> tuple[MethodInfo, ...]:
        """The tuning methods that are offered first; the others are `relatives`."""
        return tuple(method for method in self._methods if not method.relative)

    @property
    def relatives(self) -> tuple[MethodInfo, ...]:
        """The related tuning methods, which the window shows under Expert only."""
        return tuple(method for method in self._methods if method.relative)

    @property
    def presets(self) -> tuple[PresetInfo, ...]:
        """The named choices of settings, from the quickest to the most thorough; empty until the engine is ready."""
        return self._engine.catalogue.presets

    @property
    def _methods(self) -> tuple[MethodInfo, ...]:
        return self._engine.catalogue.methods

    # what is chosen

    @property
    def model(self) -> ModelInfo | None:
        """The model that is chosen for tuning; None while the catalogue does not have it."""
        return next((model for model in self.models if model.id == self.project.state.model), None)

    @property
    def method(self) -> MethodInfo | None:
        """The chosen tuning method; None while the catalogue does not have it."""
        return next((method for method in self._methods if method.name == self.project.state.method), None)

    @property
    def preset(self) -> PresetInfo | None:
        """The chosen preset (a named choice of settings); None while the catalogue does not have it."""
        return next((preset for preset in self.presets if preset.name == self.project.state.preset), None)

    def params(self) -> tuple[ParamInfo, ...]:
        """Return all Expert settings of a tuning run, with the defaults that method, model and preset give them."""
        given = self._given()
        if "attack_step_size" in given:
            given["attack_step_size"] = self._usual_step_size()
        return tuple(
            replace(param, default=given[param.name]) if param.name in given else param
            for param in self._engine.catalogue.tuning
        )

    def values(self) -> Values:
        """Return (name, value) of each Expert setting whose value the user set to something else than its default."""
        known = {param.name: param.default for param in self.params()}
        return tuple((name, value) for name, value in self.project.state.settings if known.get(name) != value)

    def value(self, name: str) -> ParamValue | None:
        """Return the value that the Expert setting called `name` will have in the run: the user's, else its default.

        None if there is no such setting.
        """
        own = dict(self.project.state.settings)
        default = next((param.default for param in self.params() if param.name == name), None)
        return own.get(name, default)

    @property
    def eps(self) -> float:
        """The budget ε of the attack inside training, in pixel units [0, 1]."""
        value = dict(self.project.state.settings).get("eps", self._given().get("eps"))
        if value is None:
            value = next((param.default for param in self._engine.catalogue.tuning if param.name == "eps"), None)
        if isinstance(value, float | int) and not isinstance(value, bool):
            return float(value)
        return self.model.eps if self.model and self.model.eps is not None else _USUAL_EPS

    @property
    def test_eps(self) -> float:
        """The budget ε of the attack that measures the tuned prompts on the test pictures, in pixel units [0, 1].

        It is the training budget unless the user chose another.
        """
        chosen = self.project.state.test_eps
        return self.eps if chosen is None else chosen

    # choosing

    def set_model(self, name: str) -> None:
        """Choose the model whose prompts are tuned; `name` is its id."""
        self.project.change(model=name)

    def set_method(self, name: str) -> None:
        """Choose the tuning method called `name`; Expert settings that the user changed stay as they are."""
        self.project.change(method=name)

    def set_preset(self, name: str) -> None:
        """Choose the preset called `name`.

        The user's own values are dropped for the settings that the preset has, and stay for all others.
        """
        preset = next((preset for preset in self.presets if preset.name == name), None)
        named = dict(preset.settings) if preset else {}
        kept = tuple((key, value) for key, value in self.project.state.settings if key not in named)
        self.project.change(preset=name, settings=kept)

    # asking

    def request(self, resume: bool = False) -> TuneRequest:
        """Return the request for the tuning run that the project describes, from its split file to its prompts file.

        resume: go on where an earlier run of this project was stopped.
        """
        state, folder = self.project.state, self.project.folder
        names = {field.name for field in fields(TuneRequest)}
        settings: dict[str, Any] = dict(self.preset.settings) if self.preset else {}
        settings |= dict(state.settings)
        settings = {name: value for name, value in settings.items() if name in names}
        return replace(
            TuneRequest(str(folder / "split.csv"), str(folder / "prompts.safetensors")),
            model=state.model,
            method=state.method,
            # the split lists all training pictures; those that are used are drawn by the same rule and seed as its preview
            shots=state.shots,
            seed=state.seed,
            template=state.template,
            resume=resume,
            **settings,
        )

    def problem(self) -> str:
        """Return a sentence that says why tuning cannot start; empty if it can."""
        if self._engine.failure is not None:
            return self._engine.failure.message
        if not self._engine.is_ready:
            return self._engine.waiting_text
        if self.model is None:
            return self.tr("Choose a model.")
        if self.method is None:
            return self.tr("Choose a method.")
        return ""

    @property
    def is_trying(self) -> bool:
        """True if a dry run of a few steps is measuring the time and memory of the run, or is about to begin.

        It begins once the choice has not changed for a moment.
        """
        return self.is_running or self._settles.isActive()

    def set_watched(self, watched: bool) -> None:
        """Begin a forecast of time and memory if `watched` (step 3 is in front) and the choice is new.

        Else cancel the one under way; no forecast is made until step 3 is in front again.
        """
        self._watched = watched
        if watched:
            self._begin()
        else:
            self._drop()

    @property
    def suggests_quick(self) -> bool:
        """True if the forecast is above half an hour and another preset than the quickest is chosen."""
        quick = self.presets[0].name if self.presets else ""
        return self.forecast is not None and self.forecast.seconds > _TOO_LONG_S and self.project.state.preset != quick

    def take_quick(self) -> None:
        """Choose the quickest preset, if there is any."""
        if self.presets:
            self.set_preset(self.presets[0].name)

    def cost_of(self, preset: PresetInfo) -> str:
        """Return the cost of a preset as "10 epochs · about 12 minutes".

        The time is the forecast of the chosen preset, scaled by epochs and attack steps; it is left out if it cannot be
        told.
        """
        epochs = dict(preset.settings).get("epochs")
        text = self.tr("{} epochs").format(epochs) if epochs is not None else ""
        chosen = self.preset
        if self.forecast is None or chosen is None or self.project.state.settings:
            return text
        share = _work(preset) / _work(chosen) if _work(chosen) and _work(preset) else 0.0
        if preset.name == chosen.name:
            share = 1.0
        if not share:
            return text
        time = tune_text.duration(self.forecast.seconds * share)
        return " · ".join(part for part in (text, time) if part)

    def forecast_text(self) -> tuple[str, str]:
        """Return a headline and a line of details about the cost of the run, either of which may be empty.

        They tell time, memory and device; else why there is no forecast, or that a dry run is measuring them.
        """
        device = self._engine.device
        where = formatting.memory(device) if device else ""
        if self.forecast is not None and not self.is_trying:
            steps = self.project.state.test_steps if self.test_eps > 0 else 0
            test_s = self.forecast.test_seconds(self._n_test, steps)
            return tune_text.forecast(self.forecast, test_s), tune_text.forecast_details(self.forecast, where)
        if self.failure is not None and not self.is_trying:
            return self.failure.message, self.failure.hint
        if self.problem():
            return self.problem(), ""
        if self.is_trying:
            return self.tr("Trying three steps…"), self.note or where
        return self.tr("Time and memory are measured in a moment…"), where

    def on_settled(self) -> None:
        """Begin a dry run of a few steps with the present choice, which measures the time and memory of the run."""
        request = self.request()
        self._requested = (request, self._split_time())
        self._run(
            ForecastRequest(request),
            About(TUNE, is_fleeting=True),
            progressed=self.on_progressed,
            finished=self.on_finished,
            failed=self.on_failed,
            cancelled=self.on_cancelled,
            ended=self.changed,
        )
        self.note = ""
        self.changed.emit()

    def on_changed(self) -> None:
        """Emit `changed`, and begin a new forecast while step 3 is in front.

        A forecast of exactly this choice is not made again.
        """
        if self._watched:
            self._begin()
        self.changed.emit()

    def on_progressed(self, event: JobProgress) -> None:
        """Keep in `note` what the dry run for the forecast is doing, in words."""
        self.note = event.note[:1].upper() + event.note[1:]
        self.changed.emit()

    def on_finished(self, forecast: TuneForecast) -> None:
        """Keep the forecast of time and memory that the dry run measured, and clear an earlier failure."""
        self.forecast, self.failure = forecast, None
        self._n_test = min(MOST_MEASURED, test_pictures(self.project.split_file))

    def on_failed(self, failure: Failure) -> None:
        """Keep why no forecast could be made, and drop the earlier forecast."""
        self.forecast, self.failure = None, failure

    def on_cancelled(self) -> None:
        """Forget which choice was forecast last, so that the same one can be forecast again."""
        self._requested = None

    def _begin(self) -> None:
        """Try the present choice, unless that is what was tried last."""
        if self.problem() or (self.request(), self._split_time()) == self._requested:
            return
        self._drop()
        self.forecast, self.failure = None, None
        self._settles.start()

    def _split_time(self) -> float:
        """The time when the split was written; 0 where there is none yet, which the engine will say."""
        try:
            return self.project.split_file.stat().st_mtime
        except OSError:
            return 0.0

    def _drop(self) -> None:
        self._settles.stop()
        if self.is_running:
            self._abandon()
            self._requested = None

    def _usual_step_size(self) -> float:
        """A step of the attack where nobody chose one: the same share of whatever the budget is."""
        usual = dict(self.method.settings) if self.method else {}
        eps, size = usual.get("eps"), usual.get("attack_step_size")
        if not isinstance(eps, float) or not isinstance(size, float) or not eps:
            return 0.0
        return size / eps * self.eps

    def _given(self) -> dict[str, ParamValue]:
        """The values that method, model and preset give, by name of the setting."""
        given = dict(self.method.settings) if self.method else {}
        own = dict(self.model.tuning) if self.model else {}
        depths = [int(depth) for depth in (given.get("depth"), own.get("depth")) if depth is not None]
        if depths:
            # prompts of words alone have one layer, and no prompts have more than the model
            own["depth"] = min(depths)
        return given | own | (dict(self.preset.settings) if self.preset else {})


def _work(preset: PresetInfo) -> float:
    """Passes through the model for each picture: one attack step is a pass, and so is the step of the prompts."""
    settings = dict(preset.settings)
    return float(settings.get("epochs", 0)) * (1.0 + float(settings.get("attack_steps", 3)))
