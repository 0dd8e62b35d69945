"""Figures put into words: the headline over a result, captions, remaining time."""

from __future__ import annotations

from capt_engine.formatting import budget, duration, p_equals, percent, percent_number, signed_points, unbroken
from capt_engine.formatting import memory as in_memory
from capt_engine.records import NO_PROMPTS, AnalyzeResult, DeviceInfo, JobProgress, PairedTest, PictureRow, ThreatModel
from capt_gui.translate import tr

_CERTAIN = 0.05
_NORM_SYMBOLS = {"linf": "L∞", "l2": "L2"}


def norm_symbol(norm: str) -> str:
    """Return "linf" as it is written: L∞."""
    return _NORM_SYMBOLS.get(norm, norm)


def threat(model: ThreatModel) -> str:
    """Return "ε = 4/255", with the norm where it is not the usual one; in the attack's own words where no ball binds it."""
    if model.budget:
        return model.budget
    text = f"ε = {budget(model.eps, model.norm)}"
    return text if model.norm == "linf" else f"{text} ({norm_symbol(model.norm)})"


def _under(model: ThreatModel) -> str:
    return f"under {model.budget}" if model.budget else f"at {threat(model)}"


def headline(row: PictureRow) -> str:
    """One sentence: what the model said, and what became of it."""
    clean = row.clean.winner
    before = f"{row.classes[clean]} {percent(row.clean.probabilities[clean])}"
    if row.attacked is None:
        return before
    after = row.attacked.winner
    probability = percent(row.attacked.probabilities[after])
    if after == clean:
        return f"still {row.classes[clean]} ({probability}) {_under(row.threat)}"
    change = f"{before} → {row.classes[after]} {probability}"
    if row.threat.target is None:
        return f"{change}: flipped {_under(row.threat)}"
    if row.classes[after] == row.threat.target:
        return f"{change}: target reached {_under(row.threat)}"
    return f"{change}: flipped {_under(row.threat)}, but not to {row.threat.target}"


def caption(row: PictureRow) -> str:
    """The few words under a thumbnail."""
    clean = row.clean.winner
    answer = row.attacked or row.clean
    if answer.winner == clean:
        return f"{row.classes[clean]} {percent(answer.probabilities[clean])}"
    return f"{row.classes[clean]} → {row.classes[answer.winner]}"


def survival(row: PictureRow) -> str:
    """The attack after saving the picture, in words; empty when nothing was broken."""
    if not row.success or row.survives_png is None:
        return ""
    if not row.survives_png:
        return "lost once saved as PNG"
    if row.survives_jpeg95 is None:
        return "survives PNG"
    return "survives PNG and JPEG" if row.survives_jpeg95 else "survives PNG, not JPEG"


def settings_line(row: PictureRow, model: str, attack: str = "", *, named: bool = True) -> str:
    """With what a row was made: model, prompts (if `named`), attack, norm, budget, steps, seed; model and attack by their labels."""
    parts = [f"{model} with {row.prompt_id}" if named and row.prompt_id not in {"", NO_PROMPTS} else model]
    if row.attack is not None:
        steps = f", {row.steps} step{'' if row.steps == 1 else 's'}" if row.steps else ""
        restarts = f", {row.restarts} restarts" if row.restarts > 1 else ""
        word = attack or row.attack.name
        bound = row.threat.budget or f"{norm_symbol(row.threat.norm)} {budget(row.threat.eps, row.threat.norm)}"
        parts.append(", ".join((f"{word}, {bound}{steps}{restarts}", *row.threat.unusual)))
    parts.append(f"seed {row.seed}")
    return " · ".join(parts)


def remaining(seconds: float | None) -> str:
    """Return "about 12 s left"; empty when it cannot be told."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "almost done"
    return f"about {duration(seconds)} left"


def job_progress(event: JobProgress, waiting: int = 0) -> str:
    """Join the time left, the present work and the number of waiting jobs; the part that is cut off last comes first."""
    note = event.note[:1].upper() + event.note[1:]
    more = f"{waiting} more waiting" if waiting else ""
    return " · ".join(part for part in (remaining(event.remaining_s), note, more) if part)


def count_line(total: int, done: int, broken: int, failed: int, broken_b: int = 0, compared: int = 0) -> str:
    """Return "19 of 50 · 7 broken": how far the gallery is; with two sides "19 of 50 · broken: A 7, B 3"."""
    if not total:
        return ""
    how_many = f"broken: A {broken}, B {broken_b}" if compared else f"{broken} broken"
    text = [f"{done} of {total}", how_many] if done or failed else [f"{total} picture{'s' * (total != 1)}"]
    if failed:
        text.append(f"{failed} unreadable")
    return " · ".join(text)


def memory(device: DeviceInfo) -> str:
    """The device with its memory, if it has its own."""
    if not device.memory_bytes:
        return device.label
    return f"{device.label}, {in_memory(device.memory_bytes)}"


def share(value: float | None, interval: tuple[float, float] | None) -> str:
    """Return "41 % (34–48 %)"; nothing where nothing was measured."""
    if value is None:
        return tr("not measured")
    text = percent(value)
    if interval is not None:
        text += f" ({percent_number(interval[0])}–{percent(interval[1])})"
    # a figure is not broken at the end of a line
    return unbroken(text)


def effect(test: PairedTest | None) -> str:
    """Return "better", "worse", "unclear": what a paired test says of B; empty without one."""
    if test is None:
        return ""
    if test.p_value >= _CERTAIN:
        return "unclear"
    return "better" if test.difference > 0 else "worse"


def outcome(result: AnalyzeResult | None) -> str:
    """Return "better", "worse" or "unclear" where B stands beside A, of the attacked pictures first; else empty, as for corruptions."""
    if result is None or result.compared is None or result.corruptions:
        return ""
    return effect(result.compared.robust) or effect(result.compared.clean)


def paired_tests(result: AnalyzeResult | None, with_a: str, with_b: str) -> tuple[str, ...]:
    """The paired tests of a result as sentences; with_a, with_b: "with plain text"."""
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
