"""`capt tune DATA`: learn robust prompts from a few labelled pictures per class."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import asdict, replace
from pathlib import Path

from capt_engine.cli.options import set_up
from capt_engine.cli.output import failure_line, print_json, print_result
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import CaptError
from capt_engine.formatting import duration, interval, memory, percent, typed_budget
from capt_engine.records import Event, Share, TuneEpoch, TuneForecast, TuneNewsReady, TuneRequest, TuneResult
from capt_engine.runs.command_line import tuning_of
from capt_engine.runs.options_table import TUNE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt tune` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, TUNE)


def run(args: argparse.Namespace) -> None:
    """Tune prompts or an image tower as the parsed arguments `args` say, show each epoch, and print the summary.

    Raises CaptError for arguments that make no sense, JobEnded where the tuning was cancelled or failed.
    """
    # A terminal shows no pictures.
    request, progress = replace(request_from(args), strips=False), ProgressLine(quiet=args.quiet)

    def on_event(event: Event) -> None:
        """Show the forecast, epochs and remarks; steps are for the window."""
        for news in event.news if isinstance(event, TuneNewsReady) else ():
            if isinstance(news, str):
                progress.say(news)
            elif isinstance(news, TuneForecast):
                progress.say(_forecast(news))
            elif isinstance(news, TuneEpoch) and news.epoch:
                progress.say(_epoch(news))
                if args.json:
                    progress.clear()
                    print_json("epoch", _epoch_cells(news))

    result = follow(
        request,
        args,
        TuneResult,
        progress=progress,
        on_event=on_event,
        cancelled="Cancelled. What was finished is kept: the same command with --resume goes on from there.",
    )
    for picture in result.failed:
        progress.say(failure_line(picture))
    print_result(args, _summary(result), *([] if args.json else _closing(request, result)))


def request_from(args: argparse.Namespace) -> TuneRequest:
    """Return the tuning request for the parsed arguments `args`, with the settings of --preset where they name none.

    Raises BadRequest for arguments that make no sense, UnknownName for a preset that there is not.
    """
    request = tuning_of(vars(args))
    if args.preset is None:
        return request
    # Only here: this loads torch.
    from capt_engine.tuning.presets import with_preset

    return with_preset(request, args.preset, [one.field for one in TUNE if getattr(args, one.name) is not None])


def _closing(request: TuneRequest, result: TuneResult) -> list[str]:
    shots = "all pictures" if result.shots is None else f"{result.shots} pictures per class"
    lines = [
        f"{result.method} for {result.model}: {len(result.classes)} classes, {shots} ({result.n_train} in all), "
        f"{result.ended}, epoch {result.kept_epoch} kept, {duration(result.seconds)}, "
        f"{memory(result.memory_bytes)} at the peak."
    ]
    if result.zero_shot_clean is not None and result.clean is not None:
        lines.append(
            f"On {result.n_val} validation pictures: clean {_share(result.zero_shot_clean)} before, {_share(result.clean)} after;"
        )
        if result.zero_shot_robust is not None and result.robust is not None:
            lines[-1] += f" under PGD-10 {_share(result.zero_shot_robust)} before, {_share(result.robust)} after."
        lines.append("They are few, and have been looked at during tuning: measure on test pictures.")
    lines += [f"Note: {note}" for note in result.notes]
    what = "prompts are" if result.prompts is not None else "tuned model is"
    return [*lines, f"The {what} in {result.out}. Measure with:", f"  {_next_command(request, result)}"]


def _next_command(request: TuneRequest, result: TuneResult) -> str:
    """Return the command that measures the prompts at the budget they were tuned for, on pictures that were not trained on."""
    command = ["capt", "evaluate", request.data if _has_test(request) else "FOLDER-OF-TEST-PICTURES"]
    if request.data_root:
        command += ["--data-root", request.data_root]
    if result.prompts is None:
        eps: object = request.eps
        command += ["--model", result.out]
    else:
        from capt_engine.model.checkpoints import read_document

        eps = read_document(Path(result.out)).settings["eps"]
        command += ["--model", result.model, "--prompts", result.out]
    command += ["--attack", "pgd", "--steps", "100"]
    # Without a budget of its own, TeCoA trains at the one that is measured at by default.
    command += ["--eps", typed_budget(eps)] if isinstance(eps, float) else []
    return shlex.join(command)


def _has_test(request: TuneRequest) -> bool:
    """Has the data set test pictures of its own? An undivided one was, in part, trained on."""
    from capt_engine.data.sources import load_splits

    try:
        return "test" in load_splits(request.data)
    except CaptError:  # a benchmark's id
        return True


def _forecast(forecast: TuneForecast) -> str:
    return (
        f"{forecast.steps} steps of {forecast.batch_size} pictures for {forecast.parameters:,} values: about {duration(forecast.seconds)}, "
        f"{memory(forecast.memory_bytes)} of memory."
    )


def _epoch(epoch: TuneEpoch) -> str:
    text = f"epoch {epoch.epoch} of {epoch.epochs}: loss {epoch.loss:.3f}"
    if epoch.clean is not None:
        text += f", validation clean {_share(epoch.clean)}"
    if epoch.robust is not None:
        text += f", robust {_share(epoch.robust)}"
    return text + (" (best so far)" if epoch.is_best and epoch.clean is not None else "")


def _share(share: Share) -> str:
    return f"{percent(share.value)} ({interval(share.low, share.high)})"


def _cells(share: Share | None) -> dict[str, object] | None:
    return None if share is None else {"value": share.value, **asdict(share)}


def _epoch_cells(epoch: TuneEpoch) -> dict[str, object]:
    return {**asdict(epoch), "clean": _cells(epoch.clean), "robust": _cells(epoch.robust)}


def _summary(result: TuneResult) -> dict[str, object]:
    shares = ("clean", "robust", "zero_shot_clean", "zero_shot_robust")
    return {**asdict(result), **{name: _cells(getattr(result, name)) for name in shares}}
