"""Defaults of the settings: the published values for real models, our own for the bundled demo models.

| setting      | real models                                  | whose                                             |
|--------------|----------------------------------------------|---------------------------------------------------|
| n_ctx        | 2; 16 for text-only prompts                  | MaPLe, FAP; CoOp, APT                             |
| depth        | 9; 1 for text-only prompts                   | MaPLe, FAP; CoOp, APT                             |
| lr           | 0.0035; 0.002 for text-only prompts          | MaPLe, FAP; CoOp, APT                             |
| epochs       | 10                                           | FAP                                               |
| batch_size   | 4; 32 for text-only prompts                  | MaPLe, FAP; APT                                   |
| λ            | 2.5; 1.5 for FAP's own loss                  | ours, from FAP's sweep; FAP                       |
| ε            | 1/255                                        | FAP, TeCoA                                        |
| inner attack | 3 steps of 2/3 ε up CE; FAP: 2 of ε up KL    | APT; FAP                                          |
| α            | label_prob                                   | ours: the paper does not say                      |

The demo models are a hundred times smaller and their tasks are new to them, so prompts need larger steps and more of them: every value of
`_DEMO` is ours, found by trying on the toy world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capt_engine.bundled_models import TOYS
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.metrics.alpha import ALPHAS
from capt_engine.metrics.consistency import KL_DIRECTIONS
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import COUPLINGS, PromptShape, TowerSizes
from capt_engine.records import PRECISIONS, ParamValue, TuneRequest
from capt_engine.tuning.inner_attack import LOSSES
from capt_engine.tuning.methods import METHODS, Method

_BATCH, _BATCH_OF_TEXT_ONLY = 4, 32
AUGMENTATIONS = ("none", "crop-flip")

# attack_step_size is in units of ε here.
_REAL: dict[str, ParamValue] = {
    "eps": 1 / 255,
    "attack_steps": 3,
    "attack_step_size": 2 / 3,
    "attack_loss": "ce",
    "epochs": 10,
    "alpha": "label_prob",
}
_FAP: dict[str, ParamValue] = {"attack_steps": 2, "attack_step_size": 1.0, "attack_loss": "kl"}
_DEMO: dict[str, ParamValue] = {"eps": 1 / 255, "n_ctx": 4, "depth": 4, "lr": 0.035, "epochs": 10, "batch_size": 8}


@dataclass(frozen=True)
class Chosen:
    """Every setting of a run with its value; `attack_step_size` and `eps` in pixel units [0, 1], `lr` that of the second epoch."""

    method: Method
    shape: PromptShape
    eps: float
    attack_steps: int
    attack_step_size: float
    attack_loss: str
    lambda_: float
    alpha: str
    epochs: int
    batch_size: int
    lr: float


def chosen(request: TuneRequest, backbone: Backbone) -> Chosen:
    """Return every setting of the tuning run `request`, with the default of its method and model where it names none.

    backbone: the model that prompts are learned for. Raises UnknownName for a name that there is not, BadRequest for a
    setting out of range.
    """
    method = METHODS[request.method]
    sizes = TowerSizes.of(backbone)
    preset = _preset(method, backbone)
    values: dict[str, Any] = preset | {name: given for name in preset if (given := getattr(request, name)) is not None}
    if request.depth is None:
        values["depth"] = min(values["depth"], sizes.layers)
    if request.attack_step_size is None:
        values["attack_step_size"] *= values["eps"]
    shape = PromptShape(*(values.pop(name) for name in ("coupling", "n_ctx", "depth")))
    found = Chosen(method, shape, **values)
    _check(request, found, sizes)
    return found


def usual(method: Method) -> dict[str, ParamValue]:
    """Return the default settings of `method` for real models, by name; `attack_step_size` is in units of ε.

    None of them depends on the device: a batch that does not fit goes through the model in parts.
    """
    own = {name: getattr(method, name) for name in ("coupling", "n_ctx", "depth", "lr", "lambda_")}
    batch = _BATCH_OF_TEXT_ONLY if method.coupling == "text_only" else _BATCH
    return _REAL | own | {"batch_size": batch} | (_FAP if method.name == "fap" else {})


def of_demo(model: str) -> dict[str, ParamValue]:
    """Return the default settings that differ for the demo model with the id `model`, by name; else nothing."""
    return dict(_DEMO) if model in TOYS else {}


def _preset(method: Method, backbone: Backbone) -> dict[str, ParamValue]:
    preset = usual(method) | of_demo(backbone.id)
    if backbone.id in TOYS and method.coupling == "text_only":
        preset["depth"] = 1
    return preset


def _check(request: TuneRequest, found: Chosen, sizes: TowerSizes) -> None:
    for name, value, known in (
        ("coupling", found.shape.coupling, COUPLINGS),
        ("loss of the inner attack", found.attack_loss, LOSSES),
        ("rule for α", found.alpha, (*ALPHAS, "const")),
        ("direction of KL", request.kl_direction, KL_DIRECTIONS),
        ("augmentation", request.augment, AUGMENTATIONS),
        ("precision", request.precision, PRECISIONS),
    ):
        if value not in known:
            raise UnknownName(name, value, known)
    if found.shape.depth > sizes.layers:
        raise BadRequest(
            f"A depth of {found.shape.depth} is more than the {sizes.layers} layers of this model's shorter tower.",
            f"Choose a depth of 1 to {sizes.layers}.",
        )
    numbers: Mapping[str, tuple[float, float, float]] = {
        "budget ε": (found.eps, 0, 1),
        "attack step": (found.attack_step_size, 0, 1),
        "number of attack steps": (found.attack_steps, 1, 10_000),
        "weight λ": (found.lambda_, 0, 1e6),
        "constant α": (request.alpha_const, 0, 1),
        "number of epochs": (found.epochs, 1, 100_000),
        "batch": (found.batch_size, 1, 1_000_000),
        "patience": (request.patience, 0, 100_000),
        "last epoch": (request.stop_after, 0, 100_000),
        "seed": (request.seed, 0, 2**63 - 1),
    }
    for name, (number, low, high) in numbers.items():
        if not low <= number <= high:
            raise BadRequest(f"A {name} of {number:g} makes no sense.", f"Choose one from {low:g} to {high:g}.")
    if not 0 < found.lr < float("inf"):
        raise BadRequest(f"A learning rate of {found.lr:g} makes no sense.", "Choose a number above 0.")
