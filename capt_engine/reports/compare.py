"""Several runs side by side: models as columns, paired tests on the pictures they share, who wins where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from capt_engine.attacks.base import NORMS
from capt_engine.formatting import budget, counted, moment, norm_symbol, short
from capt_engine.metrics.interval import share
from capt_engine.reports import ranking
from capt_engine.reports.build import FRONT, attached
from capt_engine.reports.document import Block, Facts, Grid, Paragraph, Report, Section, numbers, texts
from capt_engine.reports.sections.about import NOT_COVERED, glossary
from capt_engine.reports.sections.context import ReportContext, tested
from capt_engine.reports.sections.results import PAIRED, budget_chart, difference, paired_row
from capt_engine.reports.sides import Side, both_attacked, pairs_of, shared_budget, side_of, under
from capt_engine.runs.class_redaction import StandIns
from capt_engine.runs.manifest import digest

_MOST_PAIRS = 6
ONE_AFTER_THE_OTHER = (
    "Attacks were run one after the other, each on the pictures that were still right. The line of an attack is of all pictures: right "
    "under it and under all attacks before it."
)


def compare(folders: Sequence[Path], redact: bool = False, redact_classes: bool = False) -> Report:
    """Build one report that sets the finished runs in the run folders `folders` side by side.

    redact: show "picture 1" and the like instead of names of files and folders. redact_classes: also hide class names
    and the hashes of pictures. Raises BadRequest for a folder without
    a finished run.
    """
    # One for all: the same class, and the same picture, has the same number in each.
    stand_ins = StandIns() if redact_classes else None
    runs = [
        ReportContext.of(folder, redact=redact, stand_ins=stand_ins, number=i) for i, folder in enumerate(folders, 1)
    ]
    sides = [side_of(i, run, prompts) for i, run in enumerate(runs, 1) for prompts in run.prompts]
    files = [one for i, run in enumerate(runs, 1) for one in attached(run, f"-{i}")]
    written = ((name, title, write(sides)) for name, title, write in SECTIONS)
    sections = (Section(name, title, blocks, name in FRONT) for name, title, blocks in written if blocks)
    return Report(
        id=digest(run.identity() for run in runs)[:12],
        title="Robustness report: comparison",
        subtitle=f"{counted(len(runs), 'run')}, {counted(len(sides), 'model')}",
        made=max(run.made for run in runs),
        sections=tuple(sections),
        attachments=tuple(files),
    )


def summary(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Behind the verdict": the accuracy of each of `sides` at a budget they share, and paired differences.

    A side is one set of prompts of one run. Every two are compared while they are few; without a shared budget the clean
    accuracies are.
    """
    eps = shared_budget(sides)
    if eps is None:
        scores = "; ".join(f"{side.name} {share(*side.context.counts.clean(side.prompts))}" for side in sides)
        blocks: list[Block] = [Paragraph(f"Clean: {scores}.")]
        blocks.append(Paragraph("The runs share no budget of one norm, so only clean answers are compared.", "note"))
    else:
        scores = "; ".join(
            f"{side.name} keeps {share(*side.context.counts.robust(side.prompts, eps))}" for side in sides
        )
        blocks = [Paragraph(f"{under(sides, eps)}: {scores}.")]
    tests = ranking.against_the_best(sides)
    blocks += tests
    for a, b in () if tests else pairs_of(sides)[:_MOST_PAIRS]:
        both = [key for key in a.seen if key in b.seen]
        if eps is not None and both:
            test = tested(
                [(a.seen[key].robust[eps], b.seen[key].robust[eps]) for key in both if both_attacked(a, b, key, eps)]
            )
        else:
            test = tested([(a.seen[key].clean, b.seen[key].clean) for key in both])
        text = difference(test) if test else "they share no picture"
        blocks.append(Paragraph(f"A = {a.name}, B = {b.name}: {text}."))
    blocks += [*data(sides), *limits(sides)]
    return tuple(blocks)


def data(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Data": a table with the run, its pictures and its end for each of `sides`.

    A side is one set of prompts of one run. A sentence says how many pictures are in every run.
    """
    rows = []
    for side in sides:
        run = side.context.run
        place, failed = side.context.names.text(str(run.folder)), str(len(run.summary.failed))
        rows.append(
            (
                side.name,
                place,
                f"{len(side.seen):,}",
                failed,
                moment(run.manifest.ended) if run.manifest.ended else ("not recorded" if run.is_over else "stopped"),
            )
        )
    shared = set.intersection(*(set(side.seen) for side in sides)) if sides else set()
    columns = (*texts("Model", "Run"), *numbers("Pictures", "Not usable"), *texts("Ended"))
    note = f"{counted(len(shared), 'picture')} (by SHA-256 and label) are in every run; paired tests use those that two runs share."
    return (Grid("The runs", columns, tuple(rows)), Paragraph(note))


def models(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Models": for each of `sides` the SHA-256 of weights, prompts and classes, and the device.

    A side is one set of prompts of one run.
    """
    blocks = []
    for side in sides:
        manifest = side.context.run.manifest
        prompts = {side.context.names.text(one.id): one.sha256 for one in manifest.prompts}
        facts = (
            ("Model", side.name),
            ("SHA-256 of its weights", manifest.model.sha256 or "not recorded"),
            ("SHA-256 of its prompts", prompts.get(side.prompts) or "plain text"),
            ("SHA-256 of class names and template", short(manifest.classes_sha256)),
            ("Device", manifest.machine.device or "not recorded"),
        )
        blocks.append(Facts(facts))
    return tuple(blocks)


def results(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Results": a table of accuracies with 95 % intervals, with a column for each of `sides`.

    A side is one set of prompts of one run. The rows are the number of pictures, the clean accuracy, and each attack at
    each budget.
    """
    columns = (*texts("Measured"), *numbers(*(side.name for side in sides)))
    rows = [("Pictures", *(f"{len(side.context.counts.pictures[side.prompts]):,}" for side in sides))]
    rows.append(("Clean accuracy", *(_clean(side) for side in sides)))
    cells: dict[tuple[str, str, float], dict[str, str]] = {}
    # The survivors of one run are others than those of another: what is compared is of all pictures.
    ordered = any(side.context.counts.tally.skipped for side in sides)
    for side in sides:
        counts = side.context.counts
        for (prompts, attack, eps), one in counts.fared.items():
            if prompts == side.prompts:
                norm = one.budget or side.context.norm
                k, n = counts.tally.cumulative(prompts, eps).get(attack, (0, 0)) if ordered else (one.kept, one.n)
                cells.setdefault((norm, attack, eps), {})[side.name] = share(k, n)
    for (norm, attack, eps), found in sorted(cells.items(), key=lambda one: (one[0][0], one[0][2], one[0][1])):
        row = (found.get(side.name, "–") for side in sides)
        within = f"{norm_symbol(norm)}, ε = {budget(eps, norm)}" if norm in NORMS.names() else norm
        rows.append((f"{attack}, {within}", *row))
    table = Grid("Accuracy with 95 % intervals", columns, tuple(rows))
    return (table, Paragraph(ONE_AFTER_THE_OTHER, "note")) if ordered else (table,)


def _clean(side: Side) -> str:
    return share(*side.context.counts.clean(side.prompts)) if side.context.is_labelled else "–"


def paired(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Paired tests": McNemar's test for every two of `sides`, clean and at a shared budget.

    A side is one set of prompts of one run. Only pictures with the same label in both runs are tested; without any the
    section is empty.
    """
    eps, rows = shared_budget(sides), []
    for a, b in pairs_of(sides):
        both = [key for key in a.seen if key in b.seen]
        clean = tested([(a.seen[key].clean, b.seen[key].clean) for key in both]) if a.context.is_labelled else None
        found = [("clean", clean)]
        if eps is not None:
            robust = [
                (a.seen[key].robust[eps], b.seen[key].robust[eps]) for key in both if both_attacked(a, b, key, eps)
            ]
            found.append((a.context.state if a.context.own else f"ε = {budget(eps, a.context.norm)}", tested(robust)))
        rows += [(a.name, b.name, *paired_row(state, test)) for state, test in found if test is not None]
    return (Grid("Paired tests", (*texts("A", "B"), *PAIRED), tuple(rows)),) if rows else ()


def curve(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Accuracy and budget": a chart with one line of robust accuracy for each of `sides`.

    A side is one set of prompts of one run. The section is empty where the norms differ or no run has several budgets.
    """
    if len({side.context.norm for side in sides}) > 1 or not any(
        len(side.context.run.request.budgets) > 1 for side in sides
    ):
        return ()
    measured = [(side.name, side.context.curve(side.prompts)) for side in sides]
    chart = budget_chart(measured, sides[0].context.norm, "Robust accuracy")
    return (chart,) if chart.series else ()


def classes(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Classes": a table of the classes with the accuracy of each of `sides` and the best of them.

    A side is one set of prompts of one run. The accuracy is at a budget that all share, else clean; without pictures
    there is no table.
    """
    eps = shared_budget(sides)
    found: dict[str, list[str]] = {}
    best: dict[str, list[tuple[float, str]]] = {}
    every = sorted({one.label for side in sides for one in side.seen.values()})
    for side in sides:
        n, right = Counter[str](), Counter[str]()
        for one in side.seen.values():
            n[one.label] += 1
            right[one.label] += one.clean if eps is None else one.robust.get(eps, False)
        for name in every:
            found.setdefault(name, []).append(share(right[name], n[name]))
            if n[name]:
                best.setdefault(name, []).append((right[name] / n[name], side.name))
    if not every:
        return ()
    rows = tuple((name, *found[name], _winner(best[name])) for name in every)
    columns = (*texts("Class"), *numbers(*(side.name for side in sides)), *texts("Best"))
    state = "clean" if eps is None else under(sides, eps).replace("Under", "under").replace("At", "at")
    return (Grid(f"Each class, {state}", columns, rows),)


def _winner(scores: list[tuple[float, str]]) -> str:
    top = max(score for score, _ in scores)
    names = [name for score, name in scores if score == top]
    return names[0] if len(names) == 1 else "equal" if len(names) == len(scores) else ", ".join(names)


def limits(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "Limits": a paragraph on what a comparison cannot say.

    It is the same whatever the `sides` (sets of prompts of the runs) are.
    """
    del sides
    text = (
        "These figures are upper bounds on robustness under the attacks listed in each run: a stronger or another attack may find more, "
        f"and may change who is ahead. {NOT_COVERED} With many pairs some differences look certain by chance alone; p-values of pairs are "
        "not corrected for that; those against the best are."
    )
    return (Paragraph(text, "limit"),)


def repeat(sides: Sequence[Side]) -> tuple[Block, ...]:
    """Return the section "How to repeat": the command line that repeats each run among `sides`.

    A side is one set of prompts of one run.
    """
    runs = {side.context.run.folder: side.context for side in sides}
    pairs = tuple((f"Run {i}", one.names.command(one.run)) for i, one in enumerate(runs.values(), 1))
    return (Paragraph("Each run again: capt run manifest-1.json and so on; the manifests are attached."), Facts(pairs))


Write = Callable[[Sequence[Side]], tuple[Block, ...]]
SECTIONS: tuple[tuple[str, str, Write], ...] = (
    ("verdict", "Verdict", ranking.verdict),
    ("summary", "Behind the verdict", summary),
    ("data", "Data", data),
    ("models", "Models", models),
    ("results", "Results", results),
    ("paired", "Paired tests", paired),
    ("curve", "Accuracy and budget", curve),
    ("classes", "Classes", classes),
    ("limits", "Limits", limits),
    ("repeat", "How to repeat", repeat),
    ("glossary", "Glossary", glossary),
)
