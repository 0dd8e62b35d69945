"""Attacks as they are asked for: one by one, or several that belong together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from capt_engine.frozen import dataclass
from capt_engine.records.catalogue import ParamValue

CORRUPTION = "corruption"
"""The attack that is none: one common corruption at one severity."""

# A comma begins the next setting only where a name and a sign of equality follow.
_SETTING = re.compile(r"(\w+)=(.*?)(?:,(?=\w+=)|$)")


@dataclass(frozen=True)
class AttackSpec:
    """An attack by name, with the settings that differ from its defaults."""

    name: str = "pgd"
    values: tuple[tuple[str, ParamValue], ...] = ()


def labels(specs: Sequence[AttackSpec]) -> tuple[str, ...]:
    """Return a name for each attack of `specs`, in order, with its settings where an attack is listed several times.

    `pgd` alone; `pgd[steps=10]` beside `pgd[steps=50,restarts=2]`. The settings are those that were given, in the order
    they were given.
    """
    often = Counter(spec.name for spec in specs)
    return tuple(spec.name if often[spec.name] == 1 or not spec.values else _with_settings(spec) for spec in specs)


def _with_settings(spec: AttackSpec) -> str:
    def text(value: ParamValue) -> str:
        return (
            f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
        )

    return f"{spec.name}[{','.join(f'{name}={text(value)}' for name, value in spec.values)}]"


def settings_in(label: str) -> dict[str, str]:
    """Return the settings that an attack's `label`, such as "pgd[steps=10]", names: a dictionary from name to text.

    It is empty for a label that is the attack's name alone.
    """
    return dict(_SETTING.findall(label.removesuffix("]").partition("[")[2]))


def corruption_of(label: str) -> tuple[str, int] | None:
    """Return (kind, severity) of a common corruption from the `label` of its rows; None for any other label.

    "corruption[kind=fog,severity=3]" gives ("fog", 3).
    """
    found = settings_in(label) if label.startswith(f"{CORRUPTION}[") else {}
    known = found.get("kind") and found.get("severity", "").isdecimal()
    return (found["kind"], int(found["severity"])) if known else None


def narrowed(specs: Sequence[AttackSpec], wanted: Sequence[tuple[str, ParamValue]]) -> tuple[AttackSpec, ...]:
    """Return the attacks of `specs` without those that contradict the settings in `wanted`, as (name, value).

    Only an attack that is listed several times can lose entries: those stay that have each wanted value, or do not set
    it.
    """
    often = Counter(spec.name for spec in specs)
    return tuple(
        spec
        for spec in specs
        if often[spec.name] == 1 or all(dict(spec.values).get(name, value) == value for name, value in wanted)
    )


@dataclass(frozen=True)
class Suite:
    """Attacks that are run one after the other, each on the pictures that those before it left standing; the worst case counts.

    linf, l2: the attacks under each norm (l2 None: the same), the cheapest first, so that the expensive ones see few pictures.
    adversarial: does anybody attack? Where nobody does, each one is run on every picture, and what counts is the mean, not the worst case.
    saved_every: adversarial pictures are saved and classified again of one picture in so many, drawn by its SHA-256.
    """

    name: str
    label: str
    summary: str
    linf: tuple[AttackSpec, ...]
    l2: tuple[AttackSpec, ...] | None = None
    adversarial: bool = True
    saved_every: int = 1

    def of(self, norm: str, *, targeted: bool = False) -> tuple[AttackSpec, ...]:
        """Return the suite's attacks under `norm` ("linf" or "l2"), in the order they are run.

        targeted: leave out the attacks that choose their target classes themselves, as the attacker wants one given
        class.
        """
        specs = self.linf if norm == "linf" or self.l2 is None else self.l2
        return tuple(spec for spec in specs if not (targeted and spec.name in _NOT_TARGETED))


PGD = AttackSpec()
"""The attack that is run where none is named."""

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

CORRUPTION_KINDS = (
    *("gaussian-noise", "shot-noise", "impulse-noise"),
    *("defocus-blur", "glass-blur", "motion-blur", "zoom-blur"),
    *("snow", "frost", "fog", "brightness"),
    *("contrast", "elastic", "pixelate", "jpeg"),
)
"""The fifteen common corruptions of Hendrycks & Dietterich (2019), in the order of their table."""
HELD_OUT_KINDS = ("speckle-noise", "gaussian-blur", "spatter", "saturate")
"""The four that they kept apart for validation."""


def _corruptions(*kinds: str) -> tuple[AttackSpec, ...]:
    return tuple(
        AttackSpec(CORRUPTION, (("kind", kind), ("severity", severity))) for kind in kinds for severity in range(1, 6)
    )


SUITES = (
    Suite(
        "quick",
        "Quick look",
        "One step and a brief PGD: shows an effect in little time; its robust accuracy is too high.",
        _QUICK,
        saved_every=8,
    ),
    Suite(
        "standard",
        "Standard",
        "APGD on cross-entropy and on targets, then Square without gradients: what published figures are measured with.",
        _STANDARD,
    ),
    Suite(
        "worst-case",
        "Worst case",
        "Every white-box attack there is, then Square: the lowest figure this program can find.",
        _WORST,
        (*_WORST[:6], AttackSpec("cw"), *_WORST[6:]),
    ),
    Suite(
        "corruptions",
        "Common corruptions",
        "Nobody attacks: 15 kinds of noise, blur, weather and bad files at 5 severities, each on every picture; their mean counts.",
        _corruptions(*CORRUPTION_KINDS),
        adversarial=False,
    ),
    Suite(
        "corruptions-extra",
        "Common corruptions, and the four held out",
        "The same, with the four kinds that the authors of the table kept apart for validation.",
        _corruptions(*CORRUPTION_KINDS, *HELD_OUT_KINDS),
        adversarial=False,
    ),
)
"""Every suite; those with an attacker first, weakest first. The norms differ where an attack keeps to one of them only."""


def suite(name: str) -> Suite:
    """Return the suite (attacks that belong together) called `name`, such as "standard"; raises KeyError for none."""
    return {one.name: one for one in SUITES}[name]


def until_chance(eps: float, norm: str) -> tuple[float, ...]:
    """Return the budgets of a curve that goes on until nothing can be left: 0, ε/4, ε/2, ε, and double after double.

    eps: the budget ε to start from, above 0. norm: "linf" ends at one half, where any picture can be turned grey; "l2"
    at 100.
    """
    last = 0.5 if norm == "linf" else 100.0
    found = [0.0, eps / 4, eps / 2]
    while eps < last:
        found.append(eps)
        eps *= 2
    return (*found, last)
