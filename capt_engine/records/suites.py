"""Attacks as they are asked for: one by one, or several that belong together."""

from __future__ import annotations

from dataclasses import dataclass

from capt_engine.records.catalogue import ParamValue


@dataclass(frozen=True)
class AttackSpec:
    """An attack by name, with the settings that differ from its defaults."""

    name: str = "pgd"
    values: tuple[tuple[str, ParamValue], ...] = ()


@dataclass(frozen=True)
class Suite:
    """Attacks that are run one after the other, each on the pictures that those before it left standing; the worst case counts.

    linf, l2: the attacks under each norm, the cheapest first, so that the expensive ones see few pictures.
    """

    name: str
    label: str
    summary: str
    linf: tuple[AttackSpec, ...]
    l2: tuple[AttackSpec, ...]

    def of(self, norm: str, *, targeted: bool = False) -> tuple[AttackSpec, ...]:
        """The attacks under a norm; where one class is the target, without those that choose their own."""
        specs = self.linf if norm == "linf" else self.l2
        return tuple(spec for spec in specs if not (targeted and spec.name in _NOT_TARGETED))


PGD = AttackSpec()
"""What is run where nobody says."""

_NOT_TARGETED = ("apgd-t", "embedding")
_STOP = (("stop_early", True),)
_QUICK = (AttackSpec("fgsm"), AttackSpec("pgd", (("steps", 10), *_STOP)))
# As AutoAttack, whose FAB found nothing that the others had not (its authors' figures), and which stops at success as well.
_STANDARD = (AttackSpec("apgd-ce", _STOP), AttackSpec("apgd-t", _STOP), AttackSpec("square"))
_WORST = (
    AttackSpec("fgsm"),
    AttackSpec("pgd", (("steps", 100), *_STOP)),
    AttackSpec("apgd-ce", _STOP),
    AttackSpec("apgd-margin", _STOP),
    AttackSpec("apgd-dlr", _STOP),
    AttackSpec("apgd-t", _STOP),
    AttackSpec("fab"),
    AttackSpec("embedding"),
    AttackSpec("square"),
)

SUITES = (
    Suite(
        "quick",
        "Quick look",
        "One step and a brief PGD: shows an effect in little time; its robust accuracy is too high.",
        _QUICK,
        _QUICK,
    ),
    Suite(
        "standard",
        "Standard",
        "APGD on cross-entropy and on targets, then Square without gradients: what published figures are measured with.",
        _STANDARD,
        _STANDARD,
    ),
    Suite(
        "worst-case",
        "Worst case",
        "Every white-box attack there is, then Square: the lowest figure this program can find.",
        _WORST,
        (*_WORST[:6], AttackSpec("cw"), *_WORST[6:]),
    ),
)
"""Every suite, weakest first. The norms differ where an attack keeps to one of them only."""


def suite(name: str) -> Suite:
    """The suite called `name`; raises KeyError."""
    return {one.name: one for one in SUITES}[name]
