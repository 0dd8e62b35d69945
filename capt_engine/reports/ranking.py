"""The first page of a comparison: who is best, the ranked table, one chart, the threat model, the checks, how to repeat."""

from __future__ import annotations

from collections.abc import Sequence

from capt_engine.formatting import counted, number, p_value, percent, signed_points
from capt_engine.metrics.interval import share
from capt_engine.metrics.ranking import VariantAnswers, ranked
from capt_engine.records import Bar, RankedVariant, unknown_sentences
from capt_engine.reports.document import Block, Facts, Grid, Light, Lights, Paragraph, Strip, numbers, texts
from capt_engine.reports.sections.about import OWN_ANSWERS, threat
from capt_engine.reports.sections.checks import checks, failed
from capt_engine.reports.sections.front import bar_chart, brief
from capt_engine.reports.sections.pictures import some_of_each
from capt_engine.reports.sections.results import paired_row
from capt_engine.reports.sides import Side, shared_budget
from capt_engine.runs.request_text import variant_name

MOST_ROWS = 12
"""So many variants stand on the first page; the appendix has them all."""
_MOST_CHECKS = 4
_MOST_PAIRS = 3
"""Of more variants the chart has no bars of clean accuracy, which stands in the table with its interval."""
_LEVEL = 0.05

PAIRED_NOTE = (
    "p: McNemar’s exact test against the best, on the pictures that both have answered, corrected for the number of variants "
    "(Holm). Gap: clean minus attacked."
)


def ranking(sides: Sequence[Side]) -> tuple[RankedVariant, ...]:
    """Return `sides` ranked, the best first, at a budget that all share, else clean; nothing where not all have labels.

    A side is one set of prompts of one run; a name that tells it from the others stands as that of the prompts.
    """
    if not all(side.context.is_labelled for side in sides):
        return ()
    eps = shared_budget(sides)
    return ranked([_answers(side, eps, name) for side, name in zip(sides, _names(sides), strict=True)])


def _names(sides: Sequence[Side]) -> list[str]:
    """The shortest name of each side that no other has: its prompts, with its model, or with the number of its run too."""
    short = [variant_name(side.prompts) for side in sides]
    longer = [side.name.partition(": ")[2] for side in sides]
    return [
        plain if short.count(plain) == 1 else long if longer.count(long) == 1 else side.name
        for side, plain, long in zip(sides, short, longer, strict=True)
    ]


def _answers(side: Side, eps: float | None, name: str) -> VariantAnswers:
    right = {" ".join(key): (one.clean, None if eps is None else one.robust.get(eps)) for key, one in side.seen.items()}
    seconds = sum(one.seconds for key, one in side.context.counts.fared.items() if key[0] == side.prompts)
    return VariantAnswers(side.context.run.request.options.model, name, right, seconds)


def verdict(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Verdict", the first page of a comparison of `sides`, each one set of prompts of one run.

    It has who is best in a sentence, the ranked table, a chart with intervals, pictures of the best, the threat model, the
    checks that failed, and how to repeat the runs.
    """
    found = ranking(sides)
    said = _sentence(found) if found else _unranked(sides)
    blocks: list[Block] = [Paragraph(f"{said[:1].upper()}{said[1:]}", "lead"), *_warnings(sides)]
    if found:
        blocks += [_table(found), Paragraph(PAIRED_NOTE, "note")]
        chart = _chart(found[:MOST_ROWS])
        blocks += [chart] if chart is not None else []
        blocks += _pictures(sides, found[0])
    one = sides[0].context
    if shared_budget(sides) is not None:
        blocks.append(threat(one))
    else:
        blocks.append(Paragraph("The runs share no budget of one norm, so only clean answers are compared.", "note"))
    runs = list({side.context.run.folder: side.context for side in sides}.values())
    manifests = ", ".join(f"manifest-{i}.json" for i, _ in enumerate(runs[:3], 1)) + (" …" if len(runs) > 3 else "")
    command = one.names.command(one.run) if len(runs) == 1 else f"capt run with each of {manifests} (attached)"
    return (*blocks, _failed(sides), Facts((("Repeat", command),)))


def _sentence(found: Sequence[RankedVariant]) -> str:
    best, others = found[0], found[1:]
    state = " under attack" if best.robust is not None else ""
    n = counted(best.n, "picture")
    if not others:
        return f"{best.prompts} is right{state} on {share(_right(best), best.n)} of {n}."
    if all(_right(one) == _right(best) and one.n == best.n for one in others):
        both = "Both" if len(found) == 2 else f"All {len(found)}"
        return f"No variant is ahead. {both} are right{state} on {_percent(best)} of {n}."
    behind = [one for one in others if one.p_holm is not None and one.p_holm < _LEVEL]
    close = [one for one in others if one not in behind]
    text = f"{best.prompts} is right most often{state}, on {_percent(best)} of {n}"
    text += f"; the next, {others[0].prompts}, on {_percent(others[0])}."
    if not close:
        return f"{text} Every other is behind by more than chance."
    if len(close) <= 2:
        return f"{text} Its lead over {' and '.join(one.prompts for one in close)} may be chance."
    return f"{text} Its lead over {len(close) if behind else 'all'} of the others may be chance."


def _right(one: RankedVariant) -> int:
    return one.clean if one.robust is None else one.robust


def _percent(one: RankedVariant) -> str:
    return percent(_right(one) / one.n) if one.n else "–"


def _pictures(sides: Sequence[Side], best: RankedVariant) -> list[Block]:
    """Up to three pictures of the run of the best variant."""
    context = next(side.context for side, name in zip(sides, _names(sides), strict=True) if name == best.prompts)
    shown = some_of_each(context)
    return [Strip(f"Pictures of the run of {best.prompts}", tuple(shown), side_by_side=True)] if shown else []


def _unranked(sides: Sequence[Side]) -> str:
    eps = shared_budget(sides)
    parts = (
        f"{side.name} keeps its own answer on {share(*side.context.counts.robust(side.prompts, eps))}"
        if eps is not None
        else f"{side.name} answers {counted(len(side.seen), 'picture')}"
        for side in sides[:MOST_ROWS]
    )
    return f"{'; '.join(parts)}."


def _warnings(sides: Sequence[Side]) -> list[Block]:
    said: list[Block] = []
    if not all(side.context.is_labelled for side in sides):
        said.append(Paragraph(OWN_ANSWERS, "limit"))
    for side in sides:
        if side.context.stopped:
            said.append(Paragraph(f"{side.name}: {side.context.stopped}", "limit"))
        if words := unknown_sentences(side.context.run.summary.unknown_words):
            said.append(Paragraph(f"{side.name}: {' '.join(words)}", "limit"))
    return said


def _table(found: Sequence[RankedVariant]) -> Grid:
    attacked = found[0].robust is not None
    columns = (
        *texts("Variant"),
        *numbers("Clean (95 % interval)", *(("Under attack (95 % interval)", "Gap") if attacked else ())),
        *numbers("p (Holm)", "s a picture"),
    )
    rows = tuple(
        (
            brief(one.prompts),
            share(one.clean, one.n),
            *((share(one.robust or 0, one.n), "–" if one.gap is None else signed_points(one.gap)) if attacked else ()),
            "best" if one.versus is None else p_value(one.p_holm if one.p_holm is not None else 1.0),
            number(one.seconds),
        )
        for one in found[:MOST_ROWS]
    )
    total = len(found) if len(found) > MOST_ROWS else None
    return Grid(f"{counted(len(found), 'variant')}, the best first", columns, rows, total)


def _chart(found: Sequence[RankedVariant]) -> Block | None:
    attacked = found[0].robust is not None
    alone = attacked and len(found) > _MOST_PAIRS
    bars = []
    for one in found:
        if one.clean_interval is not None and not alone:
            bars.append(Bar(one.prompts, one.clean_accuracy, *one.clean_interval, 0))
        if attacked and one.robust_accuracy is not None and one.robust_interval is not None:
            bars.append(Bar(one.prompts, one.robust_accuracy, *one.robust_interval, 0 if alone else 1))
    states = ("under attack",) if alone else ("clean", "under attack") if attacked else ("clean",)
    return bar_chart("Right answers, with 95 % intervals", bars, states) if bars else None


def against_the_best(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return a table of the paired test of each of `sides` with the best of them; nothing where they are not ranked."""
    found = ranking(sides)
    rows = tuple(
        (
            brief(one.prompts),
            *paired_row("", one.versus)[1:],
            p_value(one.p_holm if one.p_holm is not None else one.versus.p_value),
        )
        for one in found
        if one.versus is not None
    )
    columns = (
        *texts("Variant"),
        *numbers(
            "n", "Only best right", "Only this right", "This minus best (95 % interval)", "McNemar's exact p", "Holm"
        ),
    )
    return (Grid(f"Against the best, {found[0].prompts}, on the same pictures", columns, rows),) if rows else ()


def _failed(sides: Sequence[Side]) -> Lights:
    runs = {side.context.run.folder: (side.name.partition(":")[0], side.context) for side in sides}
    found = [(name, checks(context)) for name, context in runs.values()]
    lights = [
        Light(f"Run {name}: {one.name}", one.status, one.value, one.message)
        for name, some in found
        for one in failed(some).lights
    ]
    made = sum(light.status != "not run" for _, some in found for light in some.lights)
    text = f"{made - len(lights)} of {counted(made, 'check')} passed in {counted(len(found), 'run')}."
    if len(lights) > _MOST_CHECKS:
        text += f" The first {_MOST_CHECKS} that failed:"
    return Lights(text, tuple(lights[:_MOST_CHECKS]))
