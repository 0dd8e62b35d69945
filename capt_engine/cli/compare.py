"""`capt compare DATA`: which prompts, and which model, for these pictures? Up to six variants, ranked with paired tests."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from capt_engine.cli.options import set_up
from capt_engine.cli.output import failure_line, print_result, print_row, with_interval
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine, put, tell
from capt_engine.errors import BadRequest, ExitCode
from capt_engine.formatting import budget, counted, norm_symbol, number, p_value, points, signed_points
from capt_engine.records import (
    NO_PROMPTS,
    CompareRequest,
    CompareResult,
    EvaluateRequest,
    Event,
    FailedPicture,
    RankedVariant,
    RowsReady,
)
from capt_engine.runs.command_line import evaluation_of
from capt_engine.runs.option_values import listed
from capt_engine.runs.options_table import EVALUATE, Option
from capt_engine.runs.request_text import PLAIN

# What an evaluation says of one variant, or of its own two.
_NOT_HERE = ("--model", "--prompts", "--compare", "--aim", "--matrix", "--shard", "--minimal-eps", "--out", "--resume")
_STRANGE = re.compile("[^A-Za-z0-9_-]+")

OPTIONS = (
    EVALUATE[0],
    Option(
        "--prompts",
        "installed prompt checkpoints, files, and none for plain text; each is attacked on itself",
        metavar="A,B,none",
    ),
    Option(
        "--models",
        "models to ask (default: the last one chosen); none is asked of each, other prompts of the model they were tuned for",
        metavar="ID,ID",
    ),
    *(one for one in EVALUATE[1:] if one.flag not in _NOT_HERE),
    Option("--out", "also keep a run folder for each variant in this new folder, for capt report", metavar="DIR"),
    Option("--resume", "go on where the same command with --out DIR was stopped", metavar="DIR"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt compare` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, OPTIONS)


def run(args: argparse.Namespace) -> int:
    """Evaluate each variant that the parsed arguments `args` name, print them ranked, and return the exit code.

    The code is 0, or 3 where no picture could be used, or 6 with --strict where one could not. Raises CaptError for
    arguments that make no sense, JobEnded where there is no result.
    """
    request = request_of(vars(args))
    progress = ProgressLine(quiet=args.quiet)

    def on_event(event: Event) -> None:
        if not isinstance(event, RowsReady):
            return
        for row in event.rows:
            if args.json or args.rows:
                progress.clear()
                print_row(row, as_json=args.json)
            elif isinstance(row, FailedPicture):
                progress.clear()
                put(failure_line(row))

    result = follow(request, args, CompareResult, progress=progress, on_event=on_event)
    print_result(args, facts(result), *lines_of(result))
    if not any(one.n for one in result.variants):
        tell("No picture could be used. Name pictures or folders that hold some.")
        return ExitCode.NO_INPUT
    return ExitCode.DIFFERENT if args.strict and result.n_failed else ExitCode.DONE


def request_of(given: Mapping[str, object]) -> CompareRequest:
    """Make the request of `capt compare` from parsed options, with a run folder for each variant where one was named.

    given: option name, as in argparse's namespace, → what was typed; None or absent where nothing was. Raises BadRequest
    for values that cannot be read, and where fewer than two variants are named.
    """
    if given.get("out") and given.get("resume"):
        raise BadRequest("--resume names the folder already.", "Leave --out away.")
    alone = {**given, "model": None, "prompts": None, "out": None, "resume": None}
    base = evaluation_of(alone)
    prompts = listed(str(given.get("prompts") or NO_PROMPTS))
    models = listed(str(given.get("models") or base.options.model))
    variants = list(_variants(prompts, models))
    if len(variants) < 2:
        raise BadRequest("There is one variant, and nothing to compare it with.", "For example --prompts mine,none.")
    folder, resume = str(given.get("resume") or given.get("out") or ""), bool(given.get("resume"))
    if folder and not resume and Path(folder).is_dir() and any(Path(folder).iterdir()):
        raise BadRequest(f"{folder!r} is not empty.", "Name a new folder, or go on with --resume.")
    return CompareRequest(
        tuple(_evaluation(base, one, place, folder, resume=resume) for place, one in enumerate(variants, 1))
    )


def _variants(prompts: Sequence[str], models: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(model, prompts) of each variant; prompts go with the model that they were tuned for, where there are several."""
    for name in prompts:
        if name == NO_PROMPTS or len(models) == 1:
            yield from ((model, name) for model in models)
            continue
        from capt_engine.model.checkpoints import read_document
        from capt_engine.model.store.prompt_store import find

        theirs = read_document(find(name)).backbone.id
        fitting = [
            model for model in models if re.split(r"[/\\]", model.rstrip("/\\"))[-1] == theirs or model == theirs
        ]
        if not fitting:
            raise BadRequest(
                f"{name!r} was tuned for {theirs}, which is not among the models.", f"Add {theirs} to --models."
            )
        yield from ((model, name) for model in fitting)


def _evaluation(
    base: EvaluateRequest, variant: tuple[str, str], place: int, folder: str, *, resume: bool
) -> EvaluateRequest:
    model, prompts = variant
    name = "-".join(_STRANGE.sub("-", Path(part).stem).strip("-")[:40] for part in (prompts, model))
    options = replace(
        base.options,
        model=model,
        prompts=None if prompts == NO_PROMPTS else prompts,
        keep=str(Path(folder) / f"{place}-{name}") if folder else "",
        resume=resume,
    )
    return replace(base, options=options)


def lines_of(result: CompareResult) -> list[str]:
    """Return the comparison `result` as lines: what was done, each variant with its figures, how to read them."""
    threat, n = result.threat_model, max((one.n for one in result.variants), default=0)
    within = threat.budget or f"{norm_symbol(threat.norm)}, ε = {budget(threat.eps, threat.norm)}"
    under = f"under {', '.join(result.attacks)} ({', '.join((within, *threat.unusual))})" if result.attacks else "clean"
    lines = [
        f"{counted(n, 'picture')}, {result.n_failed} not usable, {counted(len(result.variants), 'variant')} {under}; "
        f"{result.wall_s:.1f} s on {result.device or 'disk'}."
    ]
    for rank, one in enumerate(result.variants, 1):
        lines += _lines(rank, one, several=len({variant.model for variant in result.variants}) > 1)
    lines += [f"Note: {note}" for note in result.notes]
    if result.attacks:
        lines.append("Robust accuracy is an upper bound: another attack may find more.")
    lines.append("p is McNemar's exact one against the best, and in brackets Holm's, corrected for their number.")
    runs = [one.run for one in result.variants if one.run]
    if runs:
        lines.append(f"Runs: {Path(runs[0]).parent} (capt report of that folder writes them side by side)")
    return lines


def _lines(rank: int, one: RankedVariant, *, several: bool) -> Iterator[str]:
    # two files of one name are told apart by their folders
    who = PLAIN if one.prompts == NO_PROMPTS else f"prompts {one.prompts}"
    who += f" on {one.model}" if several else ""
    parts = [f"clean {with_interval(one.clean_accuracy if one.n else None, one.clean_interval)}"]
    if one.robust_accuracy is not None and one.gap is not None:
        parts.insert(0, f"under attack {with_interval(one.robust_accuracy, one.robust_interval)}")
        parts.append(f"gap {signed_points(one.gap)} points")
    parts.append(f"{number(one.seconds)} s a picture")
    yield f"{rank}. {who}: {', '.join(parts)}."
    if (test := one.versus) is not None and one.p_holm is not None:
        yield (
            f"    against the best {points(test.difference, test.low, test.high)}; only the best right {test.only_a}, "
            f"only this one {test.only_b} of {test.n}; p {p_value(test.p_value)} ({p_value(one.p_holm)})"
        )


def facts(result: CompareResult) -> dict[str, object]:
    """Return the comparison `result` as plain JSON values, for the event "summary"."""
    threat = result.threat_model
    return {
        "n": max((one.n for one in result.variants), default=0),
        "n_failed": result.n_failed,
        "attacks": list(result.attacks),
        "threat_model": {"norm": threat.norm, "eps": threat.eps, "goal": threat.goal, "knowledge": threat.knowledge},
        "variants": [_fact(rank, one) for rank, one in enumerate(result.variants, 1)],
        "notes": list(result.notes),
        "device": result.device,
        "wall_s": result.wall_s,
    }


def _fact(rank: int, one: RankedVariant) -> dict[str, object]:
    test = one.versus
    versus = (
        None
        if test is None
        else {
            "n": test.n,
            "only_best": test.only_a,
            "only_this": test.only_b,
            "difference": test.difference,
            "interval": [test.low, test.high],
            "p": test.p_value,
            "p_holm": one.p_holm,
        }
    )
    return {
        "rank": rank,
        "model": one.model,
        "prompts": one.prompts,
        "n": one.n,
        "clean_accuracy": one.clean_accuracy if one.n else None,
        "clean_interval": one.clean_interval,
        "robust_accuracy": one.robust_accuracy,
        "robust_interval": one.robust_interval,
        "gap": one.gap,
        "seconds_per_picture": one.seconds,
        "against_best": versus,
        "only_best_right": list(one.lost),
        "only_this_right": list(one.repaired),
        "run_dir": one.run or None,
    }
