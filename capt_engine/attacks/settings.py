"""The settings that several attacks have in common: each function makes the field of a frozen dataclass."""

from __future__ import annotations

from capt_engine.attacks.losses import LOSSES
from capt_engine.registry import param


def loss_param() -> str:
    """Make the dataclass field of an attack's setting `loss`: a name of LOSSES, the cross-entropy by default."""
    help = "The loss to ascend; margin helps where a model is over-confident."
    return param("cross-entropy", "Loss", choices=tuple(LOSSES), help=help)


def restarts_param(help: str = "Start again from another random point and keep the best.") -> int:
    """Make the dataclass field of an attack's setting `restarts`, from 1 to 1,000; `help` is its explanation in forms."""
    return param(1, "Restarts", low=1, high=1_000, help=help)


def samples_param() -> int:
    """Make the dataclass field of an attack's setting `samples`: EOT samples of each gradient, from 1 to 1,000."""
    help = "Average the gradient over this many passes: for models that answer at random. Each step costs as many times more."
    return param(1, "EOT samples", low=1, high=1_000, help=help)


def stop_param(default: bool = False) -> bool:
    """Make the dataclass field of an attack's setting `stop_early` (stop at success), with the value `default`."""
    help = "Spend no more steps on a picture once it is fooled: the same accuracy in less time, but not the strongest attack."
    return param(default, "Stop at success", help=help)
