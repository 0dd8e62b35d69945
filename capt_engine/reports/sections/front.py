"""The two pages in front of a report: the first for whoever decides, the second with what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence

from capt_engine.formatting import counted, moment, percent, short, unlike_training
from capt_engine.metrics.interval import share, wilson
from capt_engine.records import Bar, BarChart, PairedTest
from capt_engine.reports.document import Block, Facts, Grid, Paragraph, Strip
from capt_engine.reports.sections.about import OWN_ANSWERS, asked_about, limits, threat, unknown_words
from capt_engine.reports.sections.checks import checks, failed
from capt_engine.reports.sections.context import ReportContext
from capt_engine.reports.sections.corruption import mean_text
from capt_engine.reports.sections.pictures import some_of_each
from capt_engine.reports.sections.results import difference, main_table, paired_tests, sentence
from capt_engine.runs.command_line import UNSAYABLE

_LEVEL = 0.05
_LONGEST_COMMAND = 420
_MOST_ROWS = 14
_LONGEST_NAME = 160

READING = (
    "An interval says where a share would lie for endlessly many pictures of this kind, with 95 % confidence. McNemar's exact test asks "
    "whether two models, asked about the same pictures, differ more often in one direction than chance would."
)


def verdict(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Verdict", the first page: what the run in `context` says in a sentence, and how far to trust it.

    A chart with intervals, up to three pictures, the threat model, the checks with those that failed, and the command
    that repeats the run follow.
    """
    blocks: list[Block] = [Paragraph(headline(context), "lead")]
    blocks += warnings(context)
    _, robust = context.paired()
    if robust is not None:
        blocks.append(Paragraph(f"Under attack, {difference(robust)}.", "note"))
    if (chart := accuracies(context)) is not None:
        blocks.append(chart)
    if shown := some_of_each(context):
        many = {1: "One picture", 2: "Two pictures", 3: "Three pictures"}[len(shown)]
        blocks.append(Strip(f"{many} of the run", tuple(shown), side_by_side=True))
    blocks += [threat(context), failed(checks(context)), Facts((("Repeat", command(context)),))]
    return tuple(blocks)


def headline(context: ReportContext) -> str:
    """Return the result of the run in `context` in one sentence: of one set of prompts its accuracies, of two who is ahead."""
    if context.counts.n and len(context.prompts) == 1 and context.is_attacked and context.is_labelled:
        return _alone(context, context.prompts[0])
    if not context.counts.n or len(context.prompts) != 2:
        return sentence(context)
    a, b = context.prompts
    clean, robust = context.paired()
    state = f" under attack ({_within(context)})" if context.is_attacked else ""
    test = robust if context.is_attacked else clean
    if test is None or context.counts.tally.is_corrupted:
        return sentence(context)
    judged = {one: _judged(context, one) for one in (a, b)}
    accuracy = {one: percent(k / n) for one, (k, n) in judged.items() if n}
    if context.is_attacked and context.is_labelled and not any(k for k, _ in judged.values()):
        neither = f"Under attack ({_within(context)}) neither {_named(context, a)} nor {_named(context, b)} is right on any of"
        return f"{neither} {counted(test.n, 'picture')}.{_unattacked(context, clean)}"
    if test.p_value >= _LEVEL or not test.difference:
        both = f"{_named(context, a)} and {_named(context, b)}"
        undecided = f"No difference between {both}{state} can be told from {counted(test.n, 'picture')}"
        more = _unattacked(context, clean) if context.is_attacked else ""
        return f"{undecided}: {accuracy.get(a, '–')} against {accuracy.get(b, '–')}.{more}"
    more, less = (b, a) if test.difference > 0 else (a, b)
    verb = "is right" if context.is_labelled else "keeps its own answer"
    text = (
        f"{_named(context, more)} {verb}{state} on more pictures than {_named(context, less)}: "
        f"{accuracy.get(more, '–')} against {accuracy.get(less, '–')} of {counted(test.n, 'picture')}"
    )
    return f"{text}{_dearer(clean, test) if context.is_attacked else ''}."


def _named(context: ReportContext, prompts: str) -> str:
    """A set of prompts inside a sentence: "B (prompts mine)"."""
    letter, colon, name = context.who(prompts).partition(": ")
    return f"{letter} ({name})" if colon else letter


def _alone(context: ReportContext, prompts: str) -> str:
    who = context.who(prompts)
    clean, robust = share(*context.counts.clean(prompts)), share(*_judged(context, prompts))
    return (
        f"{who[:1].upper()}{who[1:]} is right on {clean} of {counted(context.counts.n, 'picture')}, and under attack "
        f"({_within(context)}) on {robust}."
    )


def _within(context: ReportContext) -> str:
    """The budget, and what else of the threat must be known before any figure."""
    return ", ".join((context.budget, *context.unusual))


def _judged(context: ReportContext, prompts: str) -> tuple[int, int]:
    return context.counts.robust(prompts, context.eps) if context.is_attacked else context.counts.clean(prompts)


def _dearer(clean: PairedTest | None, robust: PairedTest) -> str:
    """The price, where the one that withstands more is right less often when nobody attacks."""
    if clean is None or clean.p_value >= _LEVEL or clean.difference * robust.difference >= 0:
        return ""
    return ", but on fewer when nobody attacks"


def _unattacked(context: ReportContext, clean: PairedTest | None) -> str:
    """A sentence on clean pictures, where nobody is ahead under attack but somebody is without one."""
    if clean is None or not context.is_labelled or clean.p_value >= _LEVEL or not clean.difference:
        return ""
    more, less = reversed(context.prompts) if clean.difference > 0 else context.prompts
    ahead, behind = (percent(k / n) if n else "–" for k, n in map(context.counts.clean, (more, less)))
    return f" When nobody attacks, {context.who(more).partition(':')[0]} is right on more: {ahead} against {behind}."


def warnings(context: ReportContext) -> list[Block]:
    """Return a paragraph for each thing that a reader must know before any figure of the run in `context`; often none."""
    said: list[Block] = [Paragraph(context.stopped, "limit")] if context.stopped else []
    odd = context.counts.tally.out_of_distribution(context.prompts[0]) if context.prompts else None
    if odd is not None and odd.count:
        text = f"{unlike_training(odd.count, odd.n)} What it says of such a picture means nothing."
        said.append(Paragraph(text, "limit"))
    if not context.is_labelled:
        said.append(Paragraph(OWN_ANSWERS, "limit"))
    return [*said, *unknown_words(context)]


def accuracies(context: ReportContext) -> BarChart | None:
    """Return a chart of the accuracy of each set of prompts, clean and attacked, with 95 % intervals; None without one."""
    states = [*(("clean",) if context.is_labelled or not context.is_attacked else ())]
    states += ["attacked"] if context.is_attacked else []
    means = {one.prompts: one.mean for one in context.counts.tally.corruptions()}
    states += ["corrupted"] if means else []
    bars = []
    for prompts in context.prompts:
        for place, state in enumerate(states):
            if state == "corrupted":
                if (mean := means.get(prompts)) is not None:
                    bars.append(Bar(context.who(prompts), mean.accuracy, mean.low, mean.high, place))
                continue
            k, n = context.counts.clean(prompts) if state == "clean" else context.counts.robust(prompts, context.eps)
            if n:
                bars.append(Bar(context.who(prompts), k / n, *wilson(k, n), place))
    if not bars:
        return None
    named = {"clean": "clean", "attacked": f"under attack: {context.budget}", "corrupted": "mean under corruptions"}
    what = "Right answers" if context.is_labelled else "Own answers kept"
    return bar_chart(f"{what}, with 95 % intervals", bars, [named[state] for state in states])


def bar_chart(caption: str, bars: Sequence[Bar], states: Sequence[str]) -> BarChart:
    """Return a chart of accuracies as bars, whose words say each value and its interval.

    caption: its title. bars: with the place of their state in `states`; one state alone goes into the caption.
    """
    facts = (
        f"{bar.name}, {states[bar.series]}: {percent(bar.value)}"
        + (f" ({percent(bar.low)} to {percent(bar.high)})" if bar.low is not None and bar.high is not None else "")
        for bar in bars
    )
    title = caption if len(states) > 1 else f"{caption}: {states[0]}"
    return BarChart(
        title, tuple(bars), f"{title}. {'; '.join(facts)}.", series=tuple(states) if len(states) > 1 else ()
    )


def command(context: ReportContext) -> str:
    """Return the command line that repeats the run in `context`; one too long for a line or two is that of its manifest."""
    asked = context.names.command(context.run)
    return asked if len(asked) <= _LONGEST_COMMAND else f"{UNSAYABLE} (the manifest is attached)"


def summary(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Behind the verdict", the second page: the main figures, what was measured, and the limits."""
    said = headline(context)
    blocks: list[Block] = [Paragraph(sentence(context))] if said != sentence(context) else []
    blocks += [_few(main_table(context)), *paired_tests(context)]
    means = [f"{context.who(one.prompts)}: {mean_text(one)}." for one in context.counts.tally.corruptions()]
    if means:
        blocks.append(Paragraph(" ".join(means)))
    return (*blocks, _facts(context), *limits(context), Paragraph(READING, "note"))


def _few(table: Grid) -> Grid:
    """The lines on clean pictures and on the worst of all attacks, where all lines would be too many for the page."""
    if len(table.rows) <= _MOST_ROWS:
        return table
    rows = [row for row in table.rows if row[1] in ("clean", "worst of all")] or list(table.rows)
    rows = rows if len(rows) <= _MOST_ROWS else [*rows[: _MOST_ROWS // 2], *rows[-_MOST_ROWS // 2 :]]
    return Grid(table.caption, table.columns, tuple(rows), total=len(table.rows))


def _facts(context: ReportContext) -> Facts:
    run, names, counts = context.run, context.names, context.counts
    manifest, n_failed = run.manifest, len(run.summary.failed)
    of = f"{counted(counts.n, 'picture')}, {counted(len(manifest.classes), 'class', 'classes')}"
    machine = manifest.machine
    attacks = ", ".join(dict.fromkeys(attack for _, attack, _ in counts.fared))
    pairs = [
        ("Data", brief(", ".join(names.text(place) for place in run.request.places))),
        ("Pictures", f"{of}" + (f"; {n_failed:,} more could not be used" if n_failed else "")),
        ("Asked among", asked_about(manifest.classes)),
        ("Model", f"{brief(names.text(run.request.options.model))}, weights {short(manifest.model.sha256)}"),
        *((("Attacks", brief(attacks)),) if attacks else ()),
        (
            "Computed",
            ", ".join(filter(None, (machine.device_name or machine.device, machine.precision, moment(context.made)))),
        ),
    ]
    return Facts(tuple(pairs))


def brief(text: str) -> str:
    """Return `text`, or where it is very long its beginning and its end with … between them."""
    half = _LONGEST_NAME // 2
    return text if len(text) <= _LONGEST_NAME else f"{text[:half]} … {text[-half:]}"
