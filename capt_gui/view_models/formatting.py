"""Figures put into words: the headline over a result, captions, remaining time."""

from __future__ import annotations

from capt_engine.formatting import (
    budget,
    duration,
    norm_symbol,
    p_equals,
    percent,
    percent_number,
    signed_points,
    unbroken,
)
from capt_engine.formatting import memory as in_memory
from capt_engine.formatting import unlike_training as in_words
from capt_engine.records import NO_PROMPTS, AnalyzeResult, DeviceInfo, JobProgress, PairedTest, PictureRow, ThreatModel
from capt_gui.translate import counted, spoken, tr
from capt_gui.view_models.truth import known, outcome_of

_CERTAIN = 0.05
_UNSURE = 0.2


def threat(model: ThreatModel) -> str:
    """Return the budget in words, such as "ε = 4/255", followed by the norm in brackets unless it is L∞.

    An attack that no norm bounds, such as a patch, is told in its own words.
    """
    if model.budget:
        return spoken(model.budget)
    text = f"ε = {budget(model.eps, model.norm)}"
    return text if model.norm == "linf" else f"{text} ({norm_symbol(model.norm)})"


def _under(model: ThreatModel) -> str:
    return tr("under {}").format(spoken(model.budget)) if model.budget else tr("at {}").format(threat(model))


def headline(row: PictureRow, label: str = "") -> str:
    """Return a line on one picture: the clean answer and, after an attack, the new answer and if it changed.

    Without an attack: "cat 93.0 %"; with one, for example: "cat 93.0 % → dog 61.0 %: changed at ε = 4/255". label: the
    right answer, "" where nobody gave it; where it is known, the line says who is right.
    """
    clean, found = row.clean.winner, outcome_of(row, label)
    before = f"{row.classes[clean]} {percent(row.clean.probabilities[clean])}"
    if row.attacked is None:
        return _judged(before, found, known(row, label))
    after, under = row.attacked.winner, _under(row.threat)
    probability = percent(row.attacked.probabilities[after])
    if after == clean:
        return _judged(tr("still {} ({}) {}").format(row.classes[clean], probability, under), found, known(row, label))
    change = f"{before} → {row.classes[after]} {probability}"
    if found in ("wrong", "corrected"):
        return _judged(f"{change} {under}", found, known(row, label))
    if row.threat.target is None:
        words = tr("{}: fooled {}") if found == "broken" else tr("{}: changed {}")
        return words.format(change, under)
    if row.classes[after] == row.threat.target:
        return tr("{}: target reached {}").format(change, under)
    return tr("{}: changed {}, but not to {}").format(change, under, row.threat.target)


def _judged(line: str, found: str, right: str) -> str:
    """The line with who is right behind it, where that is known."""
    if found in ("right", "held"):
        return tr("{}, right").format(line)
    if found == "wrong":
        return tr("{}, wrong: {} is right").format(line, right)
    return tr("{}: the attack made it right").format(line) if found == "corrected" else line


def caption(row: PictureRow) -> str:
    """Return the words under a thumbnail: "cat 93.0 %", or "cat → dog" where the attack changed the answer."""
    clean = row.clean.winner
    answer = row.attacked or row.clean
    if answer.winner == clean:
        return f"{row.classes[clean]} {percent(answer.probabilities[clean])}"
    return f"{row.classes[clean]} → {row.classes[answer.winner]}"


def survival(row: PictureRow) -> str:
    """Return words on a successful attack after saving, such as "survives PNG, not JPEG" (PNG still fools the model).

    "" where the attack did not succeed or saving was not tried.
    """
    if not row.success or row.survives_png is None:
        return ""
    if not row.survives_png:
        return tr("lost once saved as PNG")
    if row.survives_jpeg95 is None:
        return tr("survives PNG")
    return tr("survives PNG and JPEG") if row.survives_jpeg95 else tr("survives PNG, not JPEG")


def unsure(row: PictureRow) -> str:
    """Return a sentence where no class name was likely for the clean picture, as when the right one was not asked about; else ""."""
    likeliest = row.clean.probabilities[row.clean.winner]
    if likeliest >= _UNSURE:
        return ""
    return tr("No name was likelier than {}: the right one may not be in the list.").format(
        unbroken(percent(likeliest))
    )


def settings_line(row: PictureRow, model: str, attack: str = "", *, named: bool = True) -> str:
    """Return a line on the settings behind a row: model, prompts, attack, budget, steps, restarts and seed.

    model: the model's label. attack: the attack's label, "" for its name. named: name the prompts too, unless they are
    plain text.
    """
    is_named = named and row.prompt_id not in {"", NO_PROMPTS}
    parts = [tr("{} with {}").format(model, row.prompt_id) if is_named else model]
    if row.attack is not None:
        bound = f"{norm_symbol(row.threat.norm)} {budget(row.threat.eps, row.threat.norm)}"
        facts = [attack or row.attack.name, spoken(row.threat.budget) or bound]
        if row.steps:
            facts.append(counted(row.steps, "{} step", "{} steps"))
        if row.restarts > 1:
            facts.append(tr("{} restarts").format(row.restarts))
        parts.append(", ".join((*facts, *map(spoken, row.threat.unusual))))
    parts.append(tr("seed {}").format(row.seed))
    return " · ".join(parts)


def time_taken(seconds: float) -> str:
    """Return a time in the unit that suits it, such as "45 s" or "12 min", in the language of the window."""
    return spoken(duration(seconds))


def remaining(seconds: float | None) -> str:
    """Return the time left in words, such as "about 12 s left", from seconds; "" for None, which means unknown."""
    if seconds is None:
        return ""
    if seconds < 1:
        return tr("almost done")
    return tr("about {} left").format(time_taken(seconds))


def devices(kinds: str) -> str:
    """Return words for the devices that something was computed on: `kinds` as a result has them, "cpu" or "cpu, cuda:1"."""
    words = {"cpu": tr("the processor"), "cuda": tr("the graphics card"), "mps": tr("Apple graphics")}
    return ", ".join(words.get(one.partition(":")[0], one) for one in kinds.split(", "))


def job_progress(event: JobProgress, waiting: int = 0, *, lasts: bool = False) -> str:
    """Return one line on a job: the time left, the work under way, and the number of jobs waiting behind it.

    Parts that are not known, or 0, are left out. lasts: the job has gone on for some seconds, and so the line says that
    nobody can tell how long it takes, where nobody can.
    """
    note = event.note[:1].upper() + event.note[1:]
    unknown = ""
    if event.remaining_s is None and event.done < event.total:
        # its place is kept, so that the words behind it do not jump when there is a figure
        unknown = tr("time left: estimating…")
    elif event.remaining_s is None and lasts and event.total <= 0:
        unknown = tr("time left: cannot be told")
    note = " · ".join(part for part in (unknown, note) if part)
    more = tr("{} more waiting").format(waiting) if waiting else ""
    return " · ".join(part for part in (remaining(event.remaining_s), note, more) if part)


def count_line(
    total: int,
    done: int,
    failed: int,
    changed: tuple[int, int],
    fooled: tuple[int, int] | None = None,
    compared: int = 0,
) -> str:
    """Return how far the gallery is, such as "19 of 50 · 7 changed · 1 unreadable"; "" when it is empty.

    total, done, failed: pictures in all, analysed, and unreadable. changed: of the analysed ones, how many answers the
    attack changed, under prompts A and under B. fooled: likewise, how many right answers became wrong ones, None unless
    the right answers to all of them are known; it is said in place of the other. compared: pictures with two sets of
    prompts; 0 leaves B out, else the line reads "changed: A 7, B 3".
    """
    if not total:
        return ""
    if fooled is None:
        both, one = tr("changed: A {}, B {}"), tr("{} changed")
    else:
        both, one = tr("fooled: A {}, B {}"), tr("{} fooled")
    how_many = (both if compared else one).format(*(fooled or changed))
    begun = [tr("{} of {}").format(done, total), how_many]
    text = begun if done or failed else [counted(total, "1 picture", "{} pictures")]
    if failed:
        text.append(tr("{} unreadable").format(failed))
    return " · ".join(text)


def memory(device: DeviceInfo) -> str:
    """Return the device's label, followed by the size of its own memory where it has some."""
    if not device.memory_bytes:
        return device.label
    return f"{device.label}, {in_memory(device.memory_bytes)}"


def share(value: float | None, interval: tuple[float, float] | None) -> str:
    """Return a share of [0, 1] with its interval as percentages: "41.0 % (34.0–48.0 %)"; "not measured" for None.

    interval: the ends of the interval in [0, 1]; None leaves the brackets out.
    """
    if value is None:
        return tr("not measured")
    text = percent(value)
    if interval is not None:
        text += f" ({percent_number(interval[0])}–{percent(interval[1])})"
    # a figure is not broken at the end of a line
    return unbroken(text)


def effect(test: PairedTest | None) -> str:
    """Return "better" or "worse" for B against A by McNemar's test at p < 0.05, else "unclear"; "" without a test."""
    if test is None:
        return ""
    if test.p_value >= _CERTAIN:
        return "unclear"
    return "better" if test.difference > 0 else "worse"


def unlike_training(result: AnalyzeResult) -> str:
    """Return a sentence on the pictures of a run that are out of the model's distribution; "" where there is none."""
    odd = result.out_of_distribution
    return spoken(in_words(odd.count, odd.n)) if odd is not None and odd.count else ""


def outcome(result: AnalyzeResult | None) -> str:
    """Return "better", "worse" or "unclear" for B against A: under attack, or clean where nothing was attacked.

    "" where nothing was compared, or where corruptions were measured.
    """
    if result is None or result.compared is None or result.corruptions:
        return ""
    return effect(result.compared.robust) or effect(result.compared.clean)


def paired_tests(result: AnalyzeResult | None, with_a: str, with_b: str) -> tuple[str, ...]:
    """Return a sentence for each paired test of A and B, under attack and then clean; none without a comparison.

    with_a, with_b: what the two sets of prompts are called in a sentence, such as "with plain text".
    """
    if result is None or result.compared is None:
        return ()
    tests = ((result.compared.robust, tr("Under attack")), (result.compared.clean, tr("Clean")))
    return tuple(_paired(test, what, with_a, with_b) for test, what in tests if test is not None)


def _paired(test: PairedTest, what: str, with_a: str, with_b: str) -> str:
    text = tr(
        "{}: of {} pictures, {} are right only {} and {} only {} (difference {}, "
        "95\u00a0% interval {} to {}; McNemar's exact test {}: {})."
    )
    certain = tr("more than chance explains") if test.p_value < _CERTAIN else tr("chance alone could do that")
    interval = (_points(points) for points in (test.difference, test.low, test.high))
    return text.format(
        what, test.n, test.only_b, with_b, test.only_a, with_a, *interval, p_equals(test.p_value), certain
    )


def _points(difference: float) -> str:
    return tr("{} points").format(signed_points(difference))
