"""The answers of two sets of prompts, A and B, to the same picture and in a whole run, put into words."""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.formatting import p_equals, percent, percent_number
from capt_engine.records import AnalyzeResult, PictureRow
from capt_gui.translate import tr
from capt_gui.view_models import formatting
from capt_gui.view_models.truth import outcome_of


def verdict(row: PictureRow, label: str = "") -> str:
    """Return the outcome of one picture and set of prompts, such as "cat 93.0 % → dog 61.0 %, changed", or "cat 88.0 %, kept".

    label: the right answer, "" where nobody gave it. Where it is known, a right answer is "held", or the model is
    "fooled", and a wrong one is said to be wrong. A target is "reached"; without an attack, the clean answer stands
    alone.
    """
    clean, found = row.clean.winner, outcome_of(row, label)
    text = f"{row.classes[clean]} {percent(row.clean.probabilities[clean])}"
    is_reached = False
    if row.attacked is not None:
        after = row.attacked.winner
        now = f"{row.classes[after]} {percent(row.attacked.probabilities[after])}"
        is_reached = after != clean and row.classes[after] == row.threat.target
        text = now if after == clean else f"{text} → {now}"
    words = {
        "right": tr("{}, right"),
        "held": tr("{}, held"),
        "broken": tr("{}, target reached") if is_reached else tr("{}, fooled"),
        "wrong": tr("{}, wrong"),
        "corrected": tr("{}, made right by the attack"),
        "kept": tr("{}, kept"),
        "changed": tr("{}, target reached") if is_reached else tr("{}, changed"),
    }
    return words.get(found, "{}").format(text)


def headline(a: PictureRow, b: PictureRow, label: str = "") -> str:
    """Return one line with the outcomes of one picture under prompts A and under prompts B; label: the right answer, "" for none."""
    return f"A: {verdict(a, label)} · B: {verdict(b, label)}"


def aim(a: PictureRow, b: PictureRow) -> str:
    """Return a sentence on which prompts the attack on a picture was computed: on each its own, on A, or on B.

    a, b: the picture's rows under the prompts A and B. "" without an attack.
    """
    if a.attacked is None or b.attacked is None:
        return ""
    if a.aimed_at != b.aimed_at:
        return tr("Each was attacked on its own (adaptive).")
    if a.aimed_at == b.prompt_id:
        return tr("One attack, computed on B (adaptive) and shown to both: for A it is a transfer.")
    return tr("One attack, computed on A (adaptive) and shown to both: for B it is a transfer.")


def contest(a: PictureRow, b: PictureRow, label: Callable[[str], str]) -> str:
    """Return a sentence naming the prompts that answered, followed by the one on which prompts the attack was computed.

    a, b: the picture's rows under the prompts A and B. label: a function from the id of prompts to their name.
    """
    sides = tr("A: {}, B: {}.").format(label(a.prompt_id), label(b.prompt_id))
    return f"{sides} {aim(a, b)}".strip()


def details(a: PictureRow, b: PictureRow, model: str, attack: str = "") -> str:
    """Return a line on the settings behind one picture's rows, and if its attacks still fool the model after saving.

    a, b: the rows under the prompts A and B. model: the model's label. attack: the attack's label, "" for its name.
    """
    shared = formatting.settings_line(a, model, attack, named=False)
    saved = [formatting.survival(a), formatting.survival(b)]
    if saved[0] != saved[1]:
        saved = [f"{side}: {text}" if text else "" for side, text in zip("AB", saved, strict=True)]
    return " · ".join(part for part in dict.fromkeys((shared, *saved)) if part)


def aim_meaning(choice: str) -> str:
    """Return a sentence on an aim: "a" or "b" (one attack on A or B, shown to both), else "each" (one on each)."""
    return {
        "a": tr("One attack, adapted to A and shown to both. For B it is only a transfer, which is easier to withstand."),
        "b": tr("One attack, adapted to B and shown to both. For A it is only a transfer, which is easier to withstand."),
    }.get(choice, tr("Two attacks, each adapted to the prompts it is shown to: the fair test of both."))  # fmt: skip


def summary(result: AnalyzeResult) -> str:
    """Return a line on the robust accuracy of A and B with intervals and paired test; "" without both figures."""
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


def totals(result: AnalyzeResult) -> str:
    """Return what a run over several pictures has to say of all: how A and B did, and how many pictures the model cannot know.

    Of pictures that it all cannot know the first is left out; of a single one the verdict says the second.
    """
    odd = result.out_of_distribution
    compared = "" if odd is not None and odd.count == result.n else summary(result)
    unlike = formatting.unlike_training(result) if result.n > 1 else ""
    return "\n".join(line for line in (compared, unlike) if line)


def _interval(result: AnalyzeResult) -> str:
    if result.robust_interval is None:
        return ""
    low, high = result.robust_interval
    return f" [{percent_number(low)}–{percent(high)}]"
