"""Rows and summaries as a terminal prints them, as text or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from capt_engine import formatting, records
from capt_engine.cli.terminal import put
from capt_engine.runs.options_table import Option

# The pictures that something imported is tried on.
PICTURES = Option(
    "--pictures",
    "labelled pictures to try it on (class folders or a list; default: the demo pictures)",
    "pictures",
    metavar="DATA",
)


def print_json(event: str, value: Mapping[str, object]) -> None:
    """Print one line on standard output: a JSON object of `value` and the key "event" with the name `event`.

    Raises ValueError for NaN or infinity in `value`.
    """
    put(json.dumps({"event": event, **value}, allow_nan=False))
    sys.stdout.flush()


def print_result(args: argparse.Namespace, facts: Mapping[str, object], *lines: str) -> None:
    """Print the end of a command: with --json the mapping `facts` as the JSON event "summary", else the texts `lines`.

    args: the parsed arguments, of which `json` is read.
    """
    if args.json:
        print_json("summary", facts)
    else:
        put(*lines)


def fact_lines(facts: Mapping[str, object]) -> list[str]:
    """Return one line "name: value" for each item of `facts`, for people.

    Underscores in names become spaces; a value that is not text is written as JSON.
    """
    return [
        f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in facts.items()
    ]


def print_row(row: records.PictureRow | records.FailedPicture, *, as_json: bool) -> None:
    """Print the outcome of one picture, `row`, as a line on standard output; for a failed one, the reason.

    as_json: print the JSON event "row", or "failure" for a picture that could not be used, instead of a sentence.
    """
    from capt_engine.runs.table import cells

    if as_json and isinstance(row, records.FailedPicture):
        print_json("failure", {"path": row.path, "message": row.message, "hint": row.hint})
    elif as_json:
        assert isinstance(row, records.PictureRow)
        print_json("row", dict(cells(row)))
    elif isinstance(row, records.FailedPicture):
        put(failure_line(row))
    else:
        put(picture_line(row))


def failure_line(failed: records.FailedPicture) -> str:
    """Return the line "path: reason and advice" about a picture that could not be used."""
    return f"{failed.path}: {failed.message} {failed.hint}".rstrip()


def closing(result: records.AnalyzeResult, run_dir: str | None) -> list[str]:
    """Return the summary of the run `result` as lines, a sentence each: accuracies, comparison, notes, checks.

    run_dir: the folder that the run was kept in, which the last line names; None: it was not kept.
    """
    labelled = result.label_source != "model"
    among = f", among {formatting.counted(result.classes, 'class name')}" if result.classes else ""
    lines = [
        f"{formatting.counted(result.n, 'picture')}, {result.n_failed} not usable, {result.wall_s:.1f} s on {result.device}, "
        f"model {result.model}{among}."
    ]
    if result.rows_from_store:
        rows = formatting.counted(result.rows_from_store, "row")
        lines.append(f"{rows} came from the result store, with the times of an earlier run (--no-cache computes them).")
    if (odd := result.out_of_distribution) is not None and odd.count:
        lines.append(f"{formatting.unlike_training(odd.count, odd.n)} What it says of such a picture means nothing.")
    compared = result.compared.other if result.compared else None
    for name, one in (("A", result), ("B", compared)) if compared else (("", result),):
        if one is not None:
            lines += _sentences(one, f"{name} ({_name(one.prompts)}): " if name else "", labelled=labelled)
    if result.compared is not None:
        tests = (("clean", result.compared.clean), ("attacked", result.compared.robust))
        lines += [_paired(name, test) for name, test in tests if test is not None]
    lines += _matrix(result)
    several = len(result.corruptions) > 1
    for name, table in zip("AB", result.corruptions, strict=False):
        lines += corruption_lines(table, f"{name} ({_name(table.prompts)}): " if several else "")
    lines += [f"Note: {note}" for note in (*result.notes, *filter(None, (result.store_note,)))]
    lines += [f"Warning: {sentence}" for sentence in records.unknown_sentences(result.unknown_words)]
    lines += _checks(result) if labelled else []
    if result.robust_accuracy is not None:
        lines.append(
            "Robust accuracy is an upper bound: another attack may find more."
            if labelled
            else "There are no labels: this is agreement with the model's own clean prediction, an upper bound under this attack."
        )
    if run_dir:
        lines.append(f"Rows, summary and attacked pictures: {run_dir}")
    return lines


def with_interval(share: float | None, interval: tuple[float, float] | None) -> str:
    """Write `share`, in [0, 1], as percent with the 95 % interval (low, high): "41.0 % (95 % interval 34.0 to 48.0)".

    Returns "not measured" where either is None.
    """
    if share is None or interval is None:
        return "not measured"
    return f"{formatting.percent(share)} (95 % interval {formatting.interval(*interval)})"


def scored(who: str, score: records.SanityScore) -> tuple[str, ...]:
    """Return how an imported model or prompts did on a few pictures, as a line that begins with `who`.

    score: the result of that test; its warning, if any, is a second line. Where nothing was scored, the line says why.
    """
    if score.n == 0:
        return (f"{who}: not scored. {score.warning}".strip(),)
    line = (
        f"{who}: {score.right} of {score.n} right on {score.pictures}, {score.n_classes} classes "
        f"(guessing gets as many with {formatting.p_equals(score.p_value)})."
    )
    return (line, f"Warning: {score.warning}") if score.warning else (line,)


def _sentences(result: records.AnalyzeResult, who: str, *, labelled: bool) -> list[str]:
    lines = []
    if labelled:
        lines.append(f"{who}{with_interval(result.clean_accuracy, result.clean_interval)} right when clean.")
    if result.robust_accuracy is not None:
        threat = result.threat_model
        names = ", ".join(attack.name for attack in result.attacks)
        within = (
            threat.budget or f"{formatting.norm_symbol(threat.norm)}, ε = {formatting.budget(threat.eps, threat.norm)}"
        )
        verb = "right" if labelled else "keep the model's own answer"
        lines.append(
            f"{who}{with_interval(result.robust_accuracy, result.robust_interval)} {verb} under {names} "
            f"({', '.join((within, threat.goal, threat.knowledge, *threat.unusual))})."
        )
        lines += [_attack(attack) for attack in result.attacks if len(result.attacks) > 1]
        for point in result.curve:
            share = with_interval(point.robust_accuracy, (point.low, point.high))
            lines.append(f"    ε = {formatting.budget(point.eps, threat.norm)}: {share}")
        if result.curve and result.classes and result.curve[-1].low > 1 / result.classes:
            lines.append(
                f"    The curve ends above chance ({formatting.percent(1 / result.classes)}); --curve auto goes on until nothing is left."
            )
        lines += _smallest(result)
    if (lpips := dict(result.consistency).get("lpips")) is not None:
        lines.append(f"{who}Mean LPIPS of clean and attacked picture {formatting.number(lpips)}.")
    return lines


def _attack(attack: records.AttackSummary) -> str:
    if attack.skipped and not attack.n:
        return f"    {attack.name}: not run, nothing was left"
    left = f"{formatting.percent(attack.accuracy)} of the {attack.n} that were left"
    own = left if attack.skipped else f"{formatting.percent(attack.accuracy)} of {attack.n} under it alone"
    after = formatting.percent(attack.cumulative_accuracy)
    return f"    {attack.name}: {after} right after it ({own}), {attack.seconds:.1f} s"


def _smallest(result: records.AnalyzeResult) -> list[str]:
    """Quartiles of the smallest budgets."""
    one, threat = result.minimal_eps, result.threat_model
    if one is None or not one.n:
        return []
    lower, median, upper = (
        "beyond any" if eps is None else formatting.measured_budget(eps, threat.norm)
        for eps in (one.lower, one.median, one.upper)
    )
    return [
        f"    Smallest ε of {formatting.counted(one.n, 'picture')}: median {median}, quartiles {lower} and {upper}; "
        f"{one.unbroken} never broke."
    ]


def _matrix(result: records.AnalyzeResult) -> list[str]:
    """Return the transfer matrix as lines, one for each model that pictures were computed on."""
    judges = list(dict.fromkeys(one.prompts for one in result.matrix))
    lines = [f"Asked, in this order: {', '.join(_name(one) for one in judges)}."] if judges else []
    for on in dict.fromkeys(one.aimed_at for one in result.matrix):
        shares = [formatting.percent(one.kept / one.n) if one.n else "–" for one in result.matrix if one.aimed_at == on]
        lines.append(f"    {f'computed on {_name(on)}' if on else 'clean'}: {', '.join(shares)}")
    return lines


def corruption_lines(table: records.CorruptionTable, who: str = "") -> list[str]:
    """Write a table of accuracies under common corruptions as lines of text.

    Each kind of corruption is a line, each severity a column; the mean with its interval is last. who: text that the
    first line begins with.
    """
    severities = sorted({one.severity for one in table.cells})
    shares = {(one.kind, one.severity): formatting.percent(one.kept / one.n) for one in table.cells}
    width = max(len(one.kind) for one in table.kinds)
    lines = [
        f"{who}{len(table.kinds)} kinds of common corruption, right by severity (each cell of {formatting.counted(table.n, 'picture')}):",
        f"    {'':{width}}  {'  '.join(f'{one:>7}' for one in severities)}    mean",
    ]
    for one in table.kinds:
        cells = "  ".join(f"{shares.get((one.kind, severity), '–'):>7}" for severity in severities)
        lines.append(f"    {one.kind:{width}}  {cells}  {_mean(one)}")
    return [
        *lines,
        f"    {'mean (mCA)':{width}}  {'  '.join(' ' * 7 for _ in severities)}  {_mean(table.mean)}",
        "    Nobody attacked: this says how the model bears noise, blur and weather, and nothing of its robustness to attacks.",
    ]


def _mean(one: records.CorruptionMean) -> str:
    """A mean, with its interval where there is one."""
    ends = "" if one.low is None or one.high is None else f" ({formatting.interval(one.low, one.high)})"
    return f"{formatting.percent(one.accuracy):>7}{ends}"


def _checks(result: records.AnalyzeResult) -> list[str]:
    """Return the number of checks that passed, and a line for every one that did not."""
    made = [one for one in result.checks if one.status != "not_run"]
    failed = [one for one in made if one.status == "fail"]
    if not made:
        return []
    lines = [
        f"{len(made) - len(failed)} of {len(made)} checks of this evaluation passed, {len(result.checks) - len(made)} not run."
    ]
    return lines + [f"    {one.title}: failed ({one.shown}). {one.message}" for one in failed]


def _paired(name: str, test: records.PairedTest) -> str:
    return (
        f"B minus A, {name}: {formatting.points(test.difference, test.low, test.high)}; "
        f"only B right {test.only_b}, only A right {test.only_a} of {test.n}; McNemar's exact {formatting.p_equals(test.p_value)}."
    )


def _name(prompts: str) -> str:
    """Prompts by their name, without the folders a file lies in."""
    return Path(prompts).stem if prompts.endswith(".safetensors") else prompts


def _verdict(row: records.PictureRow, after: int) -> str:
    """Return the outcome in a word; where nobody said what is right, no answer is good or bad."""
    if row.label_source == "model":
        return "kept" if after == row.clean.winner else "changed"
    if row.success is None:
        return "was wrong before, made right" if row.classes[after] == row.label else "was wrong before"
    return "fooled" if row.success else "held"


def picture_line(row: records.PictureRow) -> str:
    """Return a line on one picture: the clean answer, and after an attack the new one and what became of the right one."""
    best = row.clean.winner
    text = f"{row.path}: {row.classes[best]} {formatting.percent(row.clean.probabilities[best])}"
    if row.label_source != "model" and row.classes[best] != row.label:
        text += f" (wrong: {row.label})"
    if row.prompt_id != "none" or row.aimed_at not in ("", row.prompt_id):
        text = f"[{_name(row.prompt_id)}] {text}"
    if row.skipped:
        return f"{text}  (not attacked with {row.attack.name if row.attack else ''}: {row.skipped})"
    if row.attacked is None:
        return text
    after = row.attacked.winner
    verdict = _verdict(row, after)
    if row.success and row.survives_png is False:
        verdict += ", but not after saving as PNG"
    elif row.success and row.survives_jpeg95 is False:
        verdict += ", but not after saving as JPEG 95"
    elif row.success and row.survives_jpeg75 is False:
        verdict += ", but not after saving as JPEG 75"
    return f"{text} → {row.classes[after]} {formatting.percent(row.attacked.probabilities[after])}  ({verdict})"
