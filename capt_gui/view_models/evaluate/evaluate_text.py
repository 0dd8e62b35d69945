"""An evaluation in words: the verdict, the figures it rests on, and how far it may be trusted."""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.formatting import percent
from capt_engine.records import AnalyzeResult, CorruptionTable
from capt_gui.translate import counted, tr
from capt_gui.view_models import formatting
from capt_gui.view_models.formatting import share

# what the engine calls the knowledge of random noise, or of one corruption
_NO_SEARCH = "no search"


def verdict(result: AnalyzeResult, label: Callable[[str], str]) -> tuple[str, str]:
    """Return the outcome of an evaluation in one sentence, and a line of figures for each set of prompts.

    label: a function from the id of prompts to their name in a sentence. The lines are "" when no picture could be
    used.
    """
    if result.n == 0:
        return tr("No picture could be used."), ""
    if result.compared is not None:
        return _compared(result), "\n".join((_side("A", result, label), _side("B", result.compared.other, label)))
    return _alone(result), _side("", result, label)


def is_foreign(result: AnalyzeResult) -> bool:
    """Return True if most of the pictures of a run are out of the model's distribution, so that no figure of it says much."""
    odd = result.out_of_distribution
    return odd is not None and 2 * odd.count > odd.n


def limits(result: AnalyzeResult, attacks: int) -> str:
    """Return a sentence on how far a run's figures can be trusted; "" where only clean accuracy was measured.

    attacks: the number of attacks that were run; one alone gets a warning of its own.
    """
    if result.corruptions:
        return tr("Nobody attacked: this is bad weather and bad files, not a search for what fools the model.")
    if result.robust_accuracy is None:
        return ""
    if result.threat_model.knowledge == _NO_SEARCH:
        return tr("Nobody searched for what fools the model: an attack that does will find more.")
    if result.suite == "quick":
        return tr("A quick look is too kind: the stronger attacks of Standard will find more.")
    if attacks == 1:
        return tr("One attack alone: others may find more, so the figure is an upper bound.")
    return tr("An upper bound: an attack that nobody has run may find more.")


def corruption_mean(table: CorruptionTable) -> str:
    """Return mean accuracy over all corruptions and severities with its interval, such as "61.0 % (55.0–66.0 %)"."""
    mean = table.mean
    interval = (mean.low, mean.high) if mean.low is not None and mean.high is not None else None
    return share(mean.accuracy, interval)


def corruption_text(table: CorruptionTable) -> str:
    """Return a sentence on one set of prompts: accuracy over corruptions on average, clean, and under all of them."""
    text = tr("On average {} of the answers are right; {} of {} pictures are right clean, {} under every corruption.")
    return text.format(corruption_mean(table), table.clean, table.n, table.worst)


def attack_text(result: AnalyzeResult, names: list[str]) -> str:
    """Return the attacks and their budget in words: "PGD at ε = 4/255", or "the worst of 3 attacks at ε = 4/255".

    names: the labels of the attacks. The budget is left out for an attack that no norm bounds.
    """
    who = names[0] if len(names) == 1 else tr("the worst of {} attacks").format(len(names))
    return who if result.threat_model.budget else tr("{} at {}").format(who, formatting.threat(result.threat_model))


def _alone(result: AnalyzeResult) -> str:
    n = _pictures(result.n)
    if result.corruptions:
        return _corrupted(result.corruptions)
    if result.robust_accuracy is None:
        return tr("{} of {} are right; nobody attacked.").format(percent(result.clean_accuracy or 0.0), n)
    text = tr("{} of {} stay right under {}.") if result.threat_model.budget else tr("{} of {} stay right at {}.")
    return text.format(percent(result.robust_accuracy), n, formatting.threat(result.threat_model))


def _compared(result: AnalyzeResult) -> str:
    assert result.compared is not None
    robust, clean = formatting.effect(result.compared.robust), formatting.effect(result.compared.clean)
    n = _pictures(result.n)
    if result.corruptions:
        return _corrupted(result.corruptions)
    if robust in {"better", "worse"}:
        more, less = ("B", "A") if robust == "better" else ("A", "B")
        text = tr("{} withstands more than {} on the same {}.")
        if {robust, clean} == {"better", "worse"}:
            text = tr("{} withstands more than {} on the same {}, but is right less often when nobody attacks.")
        return text.format(more, less, n)
    if clean in {"better", "worse"}:
        more = "B" if clean == "better" else "A"
        text = tr("{} is right more often on the same {} when nobody attacks.")
        if robust:
            text = tr(
                "{} is right more often on the same {} when nobody attacks; under attack no difference can be told."
            )
        return text.format(more, n)
    return tr("No difference between A and B can be told from {}.").format(n)


def _corrupted(tables: tuple[CorruptionTable, ...]) -> str:
    means, n = [percent(table.mean.accuracy) for table in tables], _pictures(tables[0].n)
    if len(means) == 1:
        return tr("Under common corruptions {} of the answers are right on average, over {}.").format(*means, n)
    return tr("Under common corruptions A is right {} of the time, B {}, over {}.").format(*means[:2], n)


def _side(side: str, result: AnalyzeResult, label: Callable[[str], str]) -> str:
    """Return "A (plain text): 41 % (34–48 %) under attack, 92 % (87–95 %) clean."."""
    parts = []
    if result.robust_accuracy is not None:
        parts.append(tr("{} under attack").format(share(result.robust_accuracy, result.robust_interval)))
    table = next((one for one in result.corruptions if one.prompts == result.prompts), None)
    if table is not None:
        parts.append(tr("{} under corruptions").format(corruption_mean(table)))
    if result.clean_accuracy is not None:
        parts.append(tr("{} clean").format(share(result.clean_accuracy, result.clean_interval)))
    who = label(result.prompts)
    who = f"{side} ({who})" if side else who[:1].upper() + who[1:]
    return tr("{}: {}.").format(who, tr(", ").join(parts))


def _pictures(n: int) -> str:
    return counted(n, "1 picture", "{:,} pictures")
