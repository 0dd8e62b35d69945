"""All there is to choose from: models, prompts, attacks, norms and metrics, and the device they run on."""

from __future__ import annotations

from capt_engine.errors import BadRequest
from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result

NO_PROMPTS = "none"
"""The id of plain text, where a prompt checkpoint could stand."""


TOY_WORLD, PHOTOGRAPHS = "toy world", "photographs"
"""The kinds of pictures that the small bundled models were trained on."""


Number = int | float


ParamValue = bool | int | float | str


@dataclass(frozen=True)
class ParamInfo:
    """One setting of an attack, enough to draw a form field, write a caption or a line of help.

    `kind` is "float", "int", "bool" or "choice". A `unit` of "/255" means: stored in [0, 1], shown times 255.
    """

    name: str
    label: str
    kind: str
    default: ParamValue
    low: Number | None = None
    high: Number | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""

    def allows(self, value: object) -> bool:
        """Return True if `value` is of the setting's kind and within its range or among its choices."""
        if self.kind == "choice":
            return value in self.choices
        if self.kind == "bool" or isinstance(value, bool):
            return self.kind == "bool" and isinstance(value, bool)
        if not isinstance(value, int if self.kind == "int" else int | float):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class AttackInfo:
    """One attack of the catalogue; `params` are its Expert settings.

    norms: those it works with; none where it has a budget of its own. knowledge: what it asks of the model: "gradients", "scores",
    "decisions" or "nothing". can_target: can it be told which class to reach.
    """

    name: str
    label: str
    summary: str
    params: tuple[ParamInfo, ...]
    norms: tuple[str, ...] = ("linf", "l2")
    knowledge: str = "gradients"
    can_target: bool = True


@dataclass(frozen=True)
class NormInfo:
    """One norm, with the budget offered first and the largest that makes sense (both in pixel units [0, 1])."""

    name: str
    label: str
    summary: str
    default_eps: float
    high_eps: float


@dataclass(frozen=True)
class MetricInfo:
    """One measurement of a picture and its attacked double; `higher_is_better` is None where neither is."""

    name: str
    label: str
    unit: str
    low: float | None
    high: float | None
    higher_is_better: bool | None
    help: str


@dataclass(frozen=True)
class ModelInfo:
    """One model that can be chosen.

    `classes` and `template` are what it is asked about when the user has not said; `eps` is the L∞ budget offered first, in pixel
    units [0, 1], where the norm's own would break every picture. tuning: the settings of a tuning run in which it differs from the
    method's own, by name of a TuneRequest's field. knows: TOY_WORLD or PHOTOGRAPHS for a small model of which it is known what it was
    trained on, "" for any other.
    """

    id: str
    label: str
    summary: str
    classes: tuple[str, ...]
    template: str
    warning: str = ""
    eps: float | None = None
    tuning: tuple[tuple[str, ParamValue], ...] = ()
    knows: str = ""


@dataclass(frozen=True)
class PromptsInfo:
    """One prompt checkpoint that can be chosen: `id` is a name of the installed ones or a file; `model` is the id of its backbone.

    classes, template: what it was tuned on. bundled: it ships with the program; otherwise it is the user's own.
    """

    id: str
    label: str
    summary: str
    model: str = ""
    method: str = ""
    classes: tuple[str, ...] = ()
    template: str = ""
    bundled: bool = False


@dataclass(frozen=True)
class ClassList:
    """A list of class names that ships; `id` is what `--classes` takes. among: its classes in a sentence, "130 everyday words"."""

    id: str
    label: str
    summary: str
    among: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class MethodInfo:
    """One way to tune; `relative` methods stand under Expert. `settings` are its own defaults by name of a TuneRequest's field."""

    name: str
    label: str
    summary: str
    relative: bool
    settings: tuple[tuple[str, ParamValue], ...] = ()


@dataclass(frozen=True)
class PresetInfo:
    """A named choice of tuning settings; `settings` by name of a TuneRequest's field, over the method's defaults."""

    name: str
    label: str
    summary: str
    settings: tuple[tuple[str, ParamValue], ...]


DEVICES = "auto, cpu, cuda, mps, xpu, or one of several as cuda:1"
"""The names that a device can have."""


def device_name(text: str) -> str:
    """Return `text` where it is the name of a device, which this machine need not have; raise BadRequest for another."""
    kind, colon, number = text.partition(":")
    if (kind in ("cuda", "xpu") and (number.isdecimal() or not colon)) or text in ("auto", "cpu", "mps"):
        return text
    raise BadRequest(f"There is no device called {text!r}.", f"Known: {DEVICES}.")


@dataclass(frozen=True)
class DeviceInfo:
    """The device that computes: `name` is "cpu", "cuda", "mps" or "xpu"; `note` says what a user should know about it, if anything."""

    name: str
    label: str
    memory_bytes: int | None
    note: str = ""


@dataclass(frozen=True)
class DescribePromptsRequest(Request):
    """Look into a prompts file of the user's, anywhere on disk, for what it says of itself; its learned values are not read."""

    file: str


@dataclass(frozen=True)
class PromptsDescribed(Result):
    """The description of a prompts file, whose path is its id; the model is left to the engine, which refuses one that does not fit."""

    info: PromptsInfo


@dataclass(frozen=True)
class CatalogueRequest(Request):
    """Look again at what there is to choose from, after a model was installed or removed; tells it by CatalogueChanged as well."""


@dataclass(frozen=True)
class Catalogue(Result):
    """Everything the window can offer; it arrives with the first event. tuning: the Expert settings of a tuning run.

    lpips: the networks of LPIPS whose weights are here. class_lists: the class names that ship, the usual list first.
    """

    attacks: tuple[AttackInfo, ...]
    norms: tuple[NormInfo, ...]
    metrics: tuple[MetricInfo, ...]
    models: tuple[ModelInfo, ...]
    prompts: tuple[PromptsInfo, ...]
    methods: tuple[MethodInfo, ...] = ()
    presets: tuple[PresetInfo, ...] = ()
    tuning: tuple[ParamInfo, ...] = ()
    lpips: tuple[str, ...] = ()
    class_lists: tuple[ClassList, ...] = ()
