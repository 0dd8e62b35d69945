"""Two settings of the threat that every attack shares, wherever it is asked for: on which pixels it works, and whether they are rounded."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from capt_engine.records import PERTURBED, ROUNDINGS, ParamInfo, ParamValue
from capt_gui.settings import Settings

NAMES = ("perturb", "rounding")


def params() -> tuple[ParamInfo, ...]:
    """Their fields in an Expert form."""
    perturb = _tr(
        "What the model sees, or the picture's own pixels, resized inside the model; the latter takes long for large pictures."
    )
    rounding = _tr(
        "Judge pictures at full precision, or of 8-bit values as files hold them, which the attack then knows."
    )
    return (
        ParamInfo("perturb", _tr("Changed pixels"), "choice", PERTURBED[0], choices=PERTURBED, help=perturb),
        ParamInfo("rounding", _tr("Rounding"), "choice", ROUNDINGS[0], choices=ROUNDINGS, help=rounding),
    )


def values(settings: Settings) -> dict[str, ParamValue]:
    """What they are."""
    return {"perturb": settings.perturb, "rounding": settings.rounding}


def taken(given: dict[str, ParamValue]) -> tuple[str, str]:
    """Perturbed pixels and rounding out of a form's values, which they leave; the defaults where it does not name them."""
    return str(given.pop("perturb", PERTURBED[0])), str(given.pop("rounding", ROUNDINGS[0]))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Pixels", text)
