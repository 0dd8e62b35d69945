"""The answers of two sets of prompts, A and B, to the same picture and in a whole run, put into words."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from capt_engine.formatting import p_equals, percent, percent_number
from capt_engine.records import AnalyzeResult, PictureRow
from capt_gui.view_models import formatting


def verdict(row: PictureRow) -> str:
    """One side in a few words: "capsule 93 % → torus 61 %, fooled", or "capsule 88 %, held"."""
    clean = row.clean.winner
    before = f"{row.classes[clean]} {percent(row.clean.probabilities[clean])}"
    if row.attacked is None:
        return before
    after = row.attacked.winner
    now = percent(row.attacked.probabilities[after])
    if after == clean:
        return _tr("{} {}, held").format(row.classes[after], now)
    change = f"{before} → {row.classes[after]} {now}"
    if row.threat.target is None or row.classes[after] != row.threat.target:
        return _tr("{}, fooled").format(change)
    return _tr("{}, target reached").format(change)


def headline(a: PictureRow, b: PictureRow) -> str:
    """Both sides in one sentence."""
    return f"A: {verdict(a)} · B: {verdict(b)}"


def aim(a: PictureRow, b: PictureRow) -> str:
    """At whom the attack on the screen was aimed; empty without an attack."""
    if a.attacked is None or b.attacked is None:
        return ""
    if a.aimed_at != b.aimed_at:
        return _tr("Each was attacked on its own (adaptive).")
    if a.aimed_at == b.prompt_id:
        return _tr("One attack, computed on B (adaptive) and shown to both: for A it is a transfer.")
    return _tr("One attack, computed on A (adaptive) and shown to both: for B it is a transfer.")


def contest(a: PictureRow, b: PictureRow, label: Callable[[str], str]) -> str:
    """Which prompts answered, and at whom the attack on the screen was aimed."""
    sides = _tr("A: {}, B: {}.").format(label(a.prompt_id), label(b.prompt_id))
    return f"{sides} {aim(a, b)}".strip()


def details(a: PictureRow, b: PictureRow, model: str, attack: str = "") -> str:
    """With what both rows were made, and what outlives saving: what they share stands once."""
    shared = formatting.settings_line(a, model, attack, named=False)
    saved = [formatting.survival(a), formatting.survival(b)]
    if saved[0] != saved[1]:
        saved = [f"{side}: {text}" if text else "" for side, text in zip("AB", saved, strict=True)]
    return " · ".join(part for part in dict.fromkeys((shared, *saved)) if part)


def aim_meaning(choice: str) -> str:
    """The meaning of an aim in one plain sentence."""
    return {
        "a": _tr("One attack, adapted to A and shown to both. For B it is only a transfer, which is easier to withstand."),
        "b": _tr("One attack, adapted to B and shown to both. For A it is only a transfer, which is easier to withstand."),
    }.get(choice, _tr("Two attacks, each adapted to the prompts it is shown to: the fair test of both."))  # fmt: skip


def summary(result: AnalyzeResult) -> str:
    """Say how much each side kept in a run, with the paired test; "" where nothing was compared or attacked."""
    if result.compared is None:
        return ""
    other, test = result.compared.other, result.compared.robust
    if result.robust_accuracy is None or other.robust_accuracy is None:
        return ""
    kept = [
        _tr("{} kept {}{}").format(side, percent(side_result.robust_accuracy or 0.0), _interval(side_result))
        for side, side_result in (("A", result), ("B", other))
    ]
    whose = _tr("own answers") if result.label_source == "model" else _tr("right answers")
    plural = _tr("picture's") if result.n == 1 else _tr("pictures'")
    paired = _tr(" (paired {})").format(p_equals(test.p_value)) if test is not None else ""
    return _tr("{} of {} {} {}{}").format(" · ".join(kept), result.n, plural, whose, paired)


def _interval(result: AnalyzeResult) -> str:
    if result.robust_interval is None:
        return ""
    low, high = result.robust_interval
    return f" [{percent_number(low)}–{percent(high)}]"


def _tr(text: str) -> str:
    return QCoreApplication.translate("comparison", text)
