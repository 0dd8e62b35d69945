"""Presets of effort for the wizard, and every Expert setting with a sentence for whoever has not met it before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from capt_engine.metrics.alpha import ALPHAS
from capt_engine.model.prompts import COUPLINGS
from capt_engine.records import MethodInfo, ParamInfo, PresetInfo, TuneRequest
from capt_engine.registry import Table
from capt_engine.tuning.defaults import AUGMENTATIONS, usual
from capt_engine.tuning.inner_attack import LOSSES
from capt_engine.tuning.methods import METHODS, Method, prompt_methods

PRESETS: Table[PresetInfo] = Table(
    "preset",
    PresetInfo(
        "quick",
        "Quick",
        "A first impression: 5 epochs against a weaker attack of 2 steps. Minutes on a CPU with a ViT-B/32 and a hundred pictures or so.",
        (("epochs", 5), ("attack_steps", 2)),
    ),
    PresetInfo(
        "balanced",
        "Balanced",
        "Up to 20 epochs; ends early where the validation pictures gain nothing for 5 of them, and keeps the best.",
        (("epochs", 20), ("patience", 5)),
    ),
    PresetInfo(
        "paper",
        "Paper",
        "What is published of this family of methods (FAP, MaPLe): ε = 1/255, 10 epochs, 4 pictures a step, the last epoch kept. "
        "What we know of the CAPT paper does not say its α, λ, prompt shape, budget, learning rate or epochs: those are ours.",
        (("eps", 1 / 255), ("epochs", 10), ("batch_size", 4)),
    ),
)

_OWN = "Left alone, method and model have their own."


def with_preset(request: TuneRequest, name: str, said: Collection[str] = ()) -> TuneRequest:
    """Return `request` with the settings of the preset `name`; raises UnknownName where there is no such preset.

    said: names of fields that the user has set; they stay as they are.
    """
    values = {field: value for field, value in PRESETS[name].settings if field not in said}
    return replace(request, **values)  # type: ignore[arg-type]


def methods() -> tuple[MethodInfo, ...]:
    """Return one description (name, label, summary, default settings) for each tuning method that learns prompts.

    CAPT comes first.
    """
    return tuple(_described(method) for method in prompt_methods())


def settings() -> tuple[ParamInfo, ...]:
    """Return a description (name, label, range, default, help) of each expert setting of a tuning run, for forms.

    The defaults are those of CAPT on any model but the tiny demo ones.
    """
    usually = usual(METHODS["capt"])
    eps = float(usually["eps"])

    def number(name: str, label: str, low: float, high: float, help: str, unit: str = "") -> ParamInfo:
        value = eps * float(usually[name]) if name == "attack_step_size" else float(usually[name])
        return ParamInfo(name, label, "float", value, low, high, unit, help=help)

    def count(name: str, label: str, low: int, high: int, help: str) -> ParamInfo:
        default = int(usually[name]) if name in usually else int(getattr(TuneRequest("", ""), name))
        return ParamInfo(name, label, "int", default, low, high, help=help)

    def choice(name: str, label: str, default: str, choices: tuple[str, ...], help: str) -> ParamInfo:
        return ParamInfo(name, label, "choice", default, choices=choices, help=help)

    return (
        number(
            "lambda_",
            "Weight λ",
            0.0,
            100.0,
            "How much it counts that attacked pictures are answered like clean ones.",
        ),
        choice(
            "alpha",
            "Rule for α",
            str(usually["alpha"]),
            (*ALPHAS, "const"),
            "How far the frozen CLIP is trusted rather than the prompts' own clean answer: 0 not at all, 1 entirely; picture by picture.",
        ),
        ParamInfo(
            "alpha_const", "α where the rule is const", "float", 0.5, 0.0, 1.0, help="The same trust for every picture."
        ),
        choice(
            "reference",
            "Frozen CLIP",
            "original",
            ("original", "same"),
            "Whose clean answers are held to: the CLIP that a robust model came from, or the model itself.",
        ),
        choice(
            "coupling",
            "Coupling",
            str(usually["coupling"]),
            COUPLINGS,
            "Which tower's learned tokens lead, and which are computed from them; independent learns both apart.",
        ),
        count(
            "n_ctx", "Prompt length", 1, 64, f"Learned tokens in a layer; more can say more, and forget more. {_OWN}"
        ),
        count("depth", "Prompt depth", 1, 64, f"So many layers, from the first on, get learned tokens. {_OWN}"),
        number(
            "eps",
            "Training budget ε",
            0.0,
            16 / 255,
            "How far training moves each pixel at most; 0 is clean pictures.",
            "/255",
        ),
        count(
            "attack_steps",
            "Attack steps",
            1,
            100,
            "Steps of the attack inside training; each is a further pass through the model.",
        ),
        number(
            "attack_step_size",
            "Attack step",
            0.0,
            16 / 255,
            "How far one step of it goes. Left alone, two thirds of the budget.",
            "/255",
        ),
        choice(
            "attack_loss",
            "Attack climbs",
            str(usually["attack_loss"]),
            LOSSES,
            "ce leads away from the right answer, kl from the clean one.",
        ),
        count(
            "epochs", "Epochs", 1, 1000, "How often every picture is seen; the learning rate falls over all of them."
        ),
        count(
            "batch_size",
            "Pictures a step",
            1,
            1024,
            "More are faster on a GPU and take more memory; computed in parts where memory runs out.",
        ),
        number("lr", "Learning rate", 0.0, 1.0, f"How far a step goes; too high, and the prompts collapse. {_OWN}"),
        choice(
            "augment",
            "Changed pictures",
            "none",
            AUGMENTATIONS,
            "crop-flip shows another part of a picture each time.",
        ),
        count(
            "patience",
            "Stop early after",
            0,
            1000,
            "End when so many epochs brought nothing on the validation pictures, and keep the best; 0 goes on to the last and keeps that.",
        ),
    )


def _described(method: Method) -> MethodInfo:
    usually = usual(method)
    usually["attack_step_size"] = float(usually["attack_step_size"]) * float(usually["eps"])
    return MethodInfo(method.name, method.label, method.summary, method.name != "capt", tuple(usually.items()))
