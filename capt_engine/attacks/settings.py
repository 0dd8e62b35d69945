"""The settings that several attacks have in common: each function makes the field of a frozen dataclass."""

from __future__ import annotations

from typing import Any

from capt_engine.attacks.losses import LOSSES
from capt_engine.registry import param


def loss_param() -> Any:
    """The setting `loss` of the attacks that climb a loss of the user's choice."""
    help = "The loss to ascend; margin helps where a model is over-confident."
    return param("cross-entropy", "Loss", choices=tuple(LOSSES), help=help)


def restarts_param(help: str = "Start again from another random point and keep the best.") -> Any:
    """The setting `restarts` of the attacks that can begin at several points."""
    return param(1, "Restarts", low=1, high=1_000, help=help)


def samples_param() -> Any:
    """The setting `samples` of the attacks that average the gradient of a model that may be random."""
    help = "Average the gradient over this many passes: for models that answer at random. Each step costs as many times more."
    return param(1, "EOT samples", low=1, high=1_000, help=help)


def stop_param(default: bool = False) -> Any:
    """The setting `stop_early` of the attacks that can stop at a success."""
    help = "Spend no more steps on a picture once it is fooled: the same accuracy in less time, but not the strongest attack."
    return param(default, "Stop at success", help=help)
