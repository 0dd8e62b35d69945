"""The attacks, one line each."""

from __future__ import annotations

import inspect

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch
from capt_engine.attacks.apgd import APGDCE, APGDDLR, APGDT, APGDMargin
from capt_engine.attacks.base import KNOWLEDGE, NORMS, Attack
from capt_engine.attacks.carlini_wagner import CarliniWagner
from capt_engine.attacks.corruption import Corrupt
from capt_engine.attacks.embedding import EmbeddingAttack
from capt_engine.attacks.fab import FAB
from capt_engine.attacks.fgsm import FGSM
from capt_engine.attacks.hop_skip_jump import HopSkipJump
from capt_engine.attacks.noise import Noise
from capt_engine.attacks.patch import Patch
from capt_engine.attacks.pgd import PGD
from capt_engine.attacks.spatial import Spatial
from capt_engine.attacks.square import Square
from capt_engine.attacks.typographic import Typographic
from capt_engine.records import AttackInfo
from capt_engine.registry import Table, build, describe


def _fits(one: object) -> bool:
    """Accept an attack that can be described, made with its defaults and asked for a budget; raises whatever that raises."""
    if not (isinstance(one, type) and issubclass(one, Attack)) or inspect.isabstract(one):
        return False
    info, made = attack_info(one), build(one, ())
    described = all(isinstance(text, str) for text in (info.label, info.summary)) and info.knowledge in KNOWLEDGE
    bound = set(info.norms) <= set(NORMS.names()) if info.norms else bool(made.budget)
    return described and bound and isinstance(made.work, int)


ATTACKS: Table[type[Attack]] = Table(
    "attack",
    FGSM,
    PGD,
    APGDCE,
    APGDMargin,
    APGDDLR,
    APGDT,
    CarliniWagner,
    FAB,
    EmbeddingAttack,
    Square,
    HopSkipJump,
    Typographic,
    Patch,
    Spatial,
    Corrupt,
    Noise,
    plugins="capt.attacks",
    fits=_fits,
)


def attack_info(attack: type[Attack]) -> AttackInfo:
    """Describe an attack class for a form or a help text: names, settings, norms, knowledge, and if it takes a target."""
    return AttackInfo(
        attack.name,
        attack.label,
        attack.summary,
        describe(attack),
        attack.norms,
        attack.knowledge,
        not attack.untargeted_only,
    )
