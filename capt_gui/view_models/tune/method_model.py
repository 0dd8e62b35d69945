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
from capt_gui.bridge import Bridge
from capt_gui.view_models import formatting
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.one_job import OneJob
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.project import TuneProject

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
        """Every model of the catalogue."""
        return self._engine.catalogue.models

    @property
    def methods(self) -> tuple[MethodInfo, ...]:
        """The methods that are offered first."""
        return tuple(method for method in self._methods if not method.relative)

    @property
    def relatives(self) -> tuple[MethodInfo, ...]:
        """The methods that stand under Expert."""
        return tuple(method for method in self._methods if method.relative)

    @property
    def presets(self) -> tuple[PresetInfo, ...]:
        """The presets of effort, from quick to thorough; none until the engine is ready."""
        return self._engine.catalogue.presets

    @property
    def _methods(self) -> tuple[MethodInfo, ...]:
        return self._engine.catalogue.methods

    # what is chosen

    @property
    def model(self) -> ModelInfo | None:
        """The chosen model."""
        return next((model for model in self.models if model.id == self.project.state.model), None)

    @property
    def method(self) -> MethodInfo | None:
        """The chosen method."""
        return next((method for method in self._methods if method.name == self.project.state.method), None)

    @property
    def preset(self) -> PresetInfo | None:
        """The chosen preset."""
        return next((preset for preset in self.presets if preset.name == self.project.state.preset), None)

    def params(self) -> tuple[ParamInfo, ...]:
        """The Expert form: the engine's own settings, with the defaults of method and preset."""
        given = self._given()
        if "attack_step_size" in given:
            given["attack_step_size"] = self._usual_step_size()
        return tuple(
            replace(param, default=given[param.name]) if param.name in given else param
            for param in self._engine.catalogue.tuning
        )

    def values(self) -> Values:
        """The Expert settings that the user changed."""
        known = {param.name: param.default for param in self.params()}
        return tuple((name, value) for name, value in self.project.state.settings if known.get(name) != value)

    def value(self, name: str) -> ParamValue | None:
        """A setting as the run will have it: the user's, the preset's, the method's, or its default; None where nobody says."""
        own = dict(self.project.state.settings)
        default = next((param.default for param in self.params() if param.name == name), None)
        return own.get(name, default)

    @property
    def eps(self) -> float:
        """The budget of the attack inside training, in pixel units."""
        value = dict(self.project.state.settings).get("eps", self._given().get("eps"))
        if value is None:
            value = next((param.default for param in self._engine.catalogue.tuning if param.name == "eps"), None)
        if isinstance(value, float | int) and not isinstance(value, bool):
            return float(value)
        return self.model.eps if self.model and self.model.eps is not None else _USUAL_EPS

    @property
    def test_eps(self) -> float:
        """The budget of the attack that measures: the training budget where nobody chose another."""
        chosen = self.project.state.test_eps
        return self.eps if chosen is None else chosen

    # choosing

    def set_model(self, name: str) -> None:
        """Choose the model whose prompts are tuned."""
        self.project.change(model=name)

    def set_method(self, name: str) -> None:
        """Choose a method; Expert settings that were changed stay."""
        self.project.change(method=name)

    def set_preset(self, name: str) -> None:
        """Choose a preset; it replaces Expert settings that it names itself, as one expects of a preset."""
        preset = next((preset for preset in self.presets if preset.name == name), None)
        named = dict(preset.settings) if preset else {}
        kept = tuple((key, value) for key, value in self.project.state.settings if key not in named)
        self.project.change(preset=name, settings=kept)

    # asking

    def request(self, resume: bool = False) -> TuneRequest:
        """The run that the project describes."""
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
        """Why tuning cannot start; empty when it can."""
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
        """True if a forecast is being made, or will be as soon as the choice settles."""
        return self.is_running or self._settles.isActive()

    def set_watched(self, watched: bool) -> None:
        """The step came to the front, or left it: forecasts are made only while somebody reads them."""
        self._watched = watched
        if watched:
            self._begin()
        else:
            self._drop()

    @property
    def suggests_quick(self) -> bool:
        """True if the run takes long and the quick preset is not chosen."""
        quick = self.presets[0].name if self.presets else ""
        return self.forecast is not None and self.forecast.seconds > _TOO_LONG_S and self.project.state.preset != quick

    def take_quick(self) -> None:
        """Choose the quickest preset."""
        if self.presets:
            self.set_preset(self.presets[0].name)

    def cost_of(self, preset: PresetInfo) -> str:
        """The cost of a preset in words: the chosen one's forecast, scaled by epochs and attack steps."""
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
        """Write time, memory and device of the run; or the work that is being done to find them out."""
        device = self._engine.device
        where = formatting.memory(device) if device else ""
        if self.forecast is not None and not self.is_trying:
            return tune_text.forecast(self.forecast), tune_text.forecast_details(self.forecast, where)
        if self.failure is not None and not self.is_trying:
            return self.failure.message, self.failure.hint
        if self.problem():
            return self.problem(), ""
        if self.is_trying:
            return self.tr("Trying three steps…"), self.note or where
        return self.tr("Not tried yet"), where

    def on_settled(self) -> None:
        """The choice has not changed for a moment: try it."""
        request = self.request()
        self._requested = (request, self._split_time())
        self._run(
            ForecastRequest(request),
            progressed=self.on_progressed,
            finished=self.on_finished,
            failed=self.on_failed,
            cancelled=self.on_cancelled,
            ended=self.changed,
        )
        self.note = ""
        self.changed.emit()

    def on_changed(self) -> None:
        """The project or the engine changed: what was tried may no longer be what is chosen."""
        if self._watched:
            self._begin()
        self.changed.emit()

    def on_progressed(self, event: JobProgress) -> None:
        """Say what the trial is doing."""
        self.note = event.note[:1].upper() + event.note[1:]
        self.changed.emit()

    def on_finished(self, forecast: TuneForecast) -> None:
        """Take the answer to the latest trial."""
        self.forecast, self.failure = forecast, None

    def on_failed(self, failure: Failure) -> None:
        """Take why the trial could not be done."""
        self.forecast, self.failure = None, failure

    def on_cancelled(self) -> None:
        """The trial may be tried again."""
        self._requested = None

    def _begin(self) -> None:
        """Try the present choice, unless that is what was tried last."""
        if self.problem() or (self.request(), self._split_time()) == self._requested:
            return
        self._drop()
        self.forecast, self.failure = None, None
        self._settles.start()

    def _split_time(self) -> float:
        """When the split was written; 0 where there is none yet, which the engine will say."""
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
