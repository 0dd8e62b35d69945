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

    def of(self, norm: str) -> tuple[AttackSpec, ...]:
        """The attacks under a norm."""
        return self.linf if norm == "linf" else self.l2


PGD = AttackSpec()
"""What is run where nobody says."""

_QUICK = (AttackSpec("pgd", (("steps", 10),)),)

SUITES = (
    Suite(
        "quick",
        "Quick look",
        "A brief PGD: shows an effect in little time; its robust accuracy is too high.",
        _QUICK,
        _QUICK,
    ),
)
"""Every suite, weakest first. The norms differ where an attack keeps to one of them only."""


def suite(name: str) -> Suite:
    """The suite called `name`; raises KeyError."""
    return {one.name: one for one in SUITES}[name]
