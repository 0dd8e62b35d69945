"""CAPT from Python: CLIP models and learned prompts under attack, as functions of tensors.

Each name is fetched when it is first used, so `import capt_engine` costs nothing and loads no torch. docs/api.md describes them.
"""

from __future__ import annotations

# Checkers of types take any variable of this name for true. Importing it from typing would cost a thirtieth of a second, in which
# an interrupt of `capt` could not be answered yet.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from capt_engine import metrics as metrics
    from capt_engine.attacks.apgd import APGDCE as APGDCE
    from capt_engine.attacks.apgd import APGDDLR as APGDDLR
    from capt_engine.attacks.apgd import APGDT as APGDT
    from capt_engine.attacks.apgd import APGDMargin as APGDMargin
    from capt_engine.attacks.base import Attack as Attack
    from capt_engine.attacks.carlini_wagner import CarliniWagner as CarliniWagner
    from capt_engine.attacks.corruption import Corrupt as Corrupt
    from capt_engine.attacks.criterion import Criterion as Criterion
    from capt_engine.attacks.embedding import EmbeddingAttack as EmbeddingAttack
    from capt_engine.attacks.fab import FAB as FAB
    from capt_engine.attacks.fgsm import FGSM as FGSM
    from capt_engine.attacks.hop_skip_jump import HopSkipJump as HopSkipJump
    from capt_engine.attacks.noise import Noise as Noise
    from capt_engine.attacks.patch import Patch as Patch
    from capt_engine.attacks.pgd import PGD as PGD
    from capt_engine.attacks.spatial import Spatial as Spatial
    from capt_engine.attacks.square import Square as Square
    from capt_engine.attacks.typographic import Typographic as Typographic
    from capt_engine.demo.pictures import demo_pictures as demo_pictures
    from capt_engine.errors import BadCheckpoint as BadCheckpoint
    from capt_engine.errors import BadRequest as BadRequest
    from capt_engine.errors import CaptError as CaptError
    from capt_engine.errors import DeviceProblem as DeviceProblem
    from capt_engine.errors import UnknownName as UnknownName
    from capt_engine.evaluation.compared import VariantTable as VariantTable
    from capt_engine.evaluation.compared import compare as compare
    from capt_engine.evaluation.of_tensors import Evaluation as Evaluation
    from capt_engine.evaluation.of_tensors import evaluate as evaluate
    from capt_engine.explanations.drift import token_drift as token_drift
    from capt_engine.explanations.of_tensors import saliency as saliency
    from capt_engine.model.classifier import Classifier as Classifier
    from capt_engine.model.clip import load_clip as load_clip
    from capt_engine.model.learned_prompts import LearnedPrompts as LearnedPrompts
    from capt_engine.model.prompts import prompted_ids as prompted_ids
    from capt_engine.model.text import encode_tokens as encode_tokens
    from capt_engine.model.vision import encode_pixels as encode_pixels
    from capt_engine.tuning.loop import TuningFailed as TuningFailed
    from capt_engine.tuning.of_tensors import tune as tune

_HOMES = {
    "attacks.apgd": "APGDCE APGDDLR APGDMargin APGDT",
    "attacks.base": "Attack",
    "attacks.carlini_wagner": "CarliniWagner",
    "attacks.corruption": "Corrupt",
    "attacks.criterion": "Criterion",
    "attacks.embedding": "EmbeddingAttack",
    "attacks.fab": "FAB",
    "attacks.fgsm": "FGSM",
    "attacks.hop_skip_jump": "HopSkipJump",
    "attacks.noise": "Noise",
    "attacks.patch": "Patch",
    "attacks.pgd": "PGD",
    "attacks.spatial": "Spatial",
    "attacks.square": "Square",
    "attacks.typographic": "Typographic",
    "demo.pictures": "demo_pictures",
    "errors": "BadCheckpoint BadRequest CaptError DeviceProblem UnknownName",
    "evaluation.compared": "VariantTable compare",
    "evaluation.of_tensors": "Evaluation evaluate",
    "explanations.drift": "token_drift",
    "explanations.of_tensors": "saliency",
    "model.classifier": "Classifier",
    "model.clip": "load_clip",
    "model.learned_prompts": "LearnedPrompts",
    "model.prompts": "prompted_ids",
    "model.text": "encode_tokens",
    "model.vision": "encode_pixels",
    "tuning.loop": "TuningFailed",
    "tuning.of_tensors": "tune",
    "metrics": "metrics",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Fetch a public name from its module (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    home = importlib.import_module(f"{__name__}.{_HOME_OF[name]}")
    value: object = home if name == _HOME_OF[name] else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, fetched or not."""
    return sorted({*globals(), *_HOME_OF})
