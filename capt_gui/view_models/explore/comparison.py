"""The answers of two sets of prompts, A and B, to the same picture and in a whole run, put into words."""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.formatting import p_equals, percent, percent_number
from capt_engine.records import AnalyzeResult, PictureRow
from capt_gui.translate import tr
from capt_gui.view_models import formatting


def verdict(row: PictureRow) -> str:
    """One side in a few words: "capsule 93 % → torus 61 %, fooled", or "capsule 88 %, held"."""
    clean = row.clean.winner
    before = f"{row.classes[clean]} {percent(row.clean.probabilities[clean])}"
    if row.attacked is None:
        return before
    after = row.attacked.winner
    now = f"{row.classes[after]} {percent(row.attacked.probabilities[after])}"
    if after == clean:
        return tr("{}, held").format(now)
    text = tr("{} → {}, target reached") if row.classes[after] == row.threat.target else tr("{} → {}, fooled")
    return text.format(before, now)


def headline(a: PictureRow, b: PictureRow) -> str:
    """Both sides in one sentence."""
    return f"A: {verdict(a)} · B: {verdict(b)}"


def aim(a: PictureRow, b: PictureRow) -> str:
    """At whom the attack on the screen was aimed; empty without an attack."""
    if a.attacked is None or b.attacked is None:
        return ""
    if a.aimed_at != b.aimed_at:
        return tr("Each was attacked on its own (adaptive).")
    if a.aimed_at == b.prompt_id:
        return tr("One attack, computed on B (adaptive) and shown to both: for A it is a transfer.")
    return tr("One attack, computed on A (adaptive) and shown to both: for B it is a transfer.")


def contest(a: PictureRow, b: PictureRow, label: Callable[[str], str]) -> str:
    """Which prompts answered, and at whom the attack on the screen was aimed."""
    sides = tr("A: {}, B: {}.").format(label(a.prompt_id), label(b.prompt_id))
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
        "a": tr("One attack, adapted to A and shown to both. For B it is only a transfer, which is easier to withstand."),
        "b": tr("One attack, adapted to B and shown to both. For A it is only a transfer, which is easier to withstand."),
    }.get(choice, tr("Two attacks, each adapted to the prompts it is shown to: the fair test of both."))  # fmt: skip


def summary(result: AnalyzeResult) -> str:
    """Say how much each side kept in a run, with the paired test; "" where nothing was compared or attacked."""
    if result.compared is None:
        return ""
    other, test = result.compared.other, result.compared.robust
    if result.robust_accuracy is None or other.robust_accuracy is None:
        return ""
    kept = [
        tr("{} kept {}{}").format(side, percent(side_result.robust_accuracy or 0.0), _interval(side_result))
        for side, side_result in (("A", result), ("B", other))
    ]
    whose = tr("own answers") if result.label_source == "model" else tr("right answers")
    plural = tr("picture's") if result.n == 1 else tr("pictures'")
    paired = tr(" (paired {})").format(p_equals(test.p_value)) if test is not None else ""
    return tr("{} of {} {} {}{}").format(" · ".join(kept), result.n, plural, whose, paired)


def _interval(result: AnalyzeResult) -> str:
    if result.robust_interval is None:
        return ""
    low, high = result.robust_interval
    return f" [{percent_number(low)}–{percent(high)}]"
