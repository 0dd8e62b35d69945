"""`capt tune DATA`: learn robust prompts from a few labelled pictures per class."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import asdict
from pathlib import Path

from capt_engine.cli.options import add_common, add_renamed, budget
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import BadRequest, CaptError
from capt_engine.formatting import duration, interval, memory, percent, typed_budget
from capt_engine.records import Event, Result, Share, TuneEpoch, TuneForecast, TuneRequest, TuneResult, TuneTold

HELP = "learn robust prompts from a few labelled pictures per class"

# Named here too, so that --help answers at once; a test holds them to the tables.
METHODS = ("capt", "coop", "apt", "vpt", "maple", "adv-maple", "fap", "trades", "pmg-aft", "tecoa")
ALPHAS = ("label_prob", "batch", "confidence", "entropy", "loss_balance", "const", "schedule")
COUPLINGS = ("vision_to_text", "text_to_vision", "independent", "text_only", "vision_only")
KL_DIRECTIONS = ("target_first", "pred_first", "js")
PRESETS = ("quick", "balanced", "paper")


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument(
        "data", metavar="DATA", help="class folders, a CSV with path,label, a split_zhou_*.json, or a benchmark's id"
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE.safetensors", help="where the prompts go (tecoa: a new folder)"
    )
    parser.add_argument("--model", metavar="ID", help="as in `capt analyze` (default: the last one chosen, else demo)")
    parser.add_argument("--method", default="capt", metavar="NAME", help=f"{', '.join(METHODS)} (default: capt)")
    parser.add_argument(
        "--preset", metavar="NAME", help=f"{', '.join(PRESETS)}: settings that are not given themselves"
    )
    parser.add_argument("--shots", default="16", metavar="N", help="pictures per class, or all (default: 16)")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run of the same command stopped")
    parser.add_argument("--data-root", default="", metavar="DIR", help="the folder of the benchmarks")
    add_renamed(
        parser,
        "--half",
        "--subsample-classes",
        default="all",
        choices=("all", "base", "new"),
        help="of the classes (default: all)",
    )
    parser.add_argument("--template", default="", help="what surrounds a class name (default: the data set's own)")

    attack = parser.add_argument_group("the attack inside training; each default is the method's and the model's own")
    attack.add_argument("--eps", metavar="E", help="its budget: k/255 or a number from 0 to 1")
    attack.add_argument("--attack-steps", type=int, metavar="N", help="its steps")
    attack.add_argument("--attack-step-size", metavar="S", help="k/255 or a number from 0 to 1")
    attack.add_argument("--attack-loss", choices=("ce", "kl"), help="what it climbs")

    loss = parser.add_argument_group("what is learned")
    loss.add_argument("--lambda", dest="lambda_", type=float, metavar="λ", help="weight of the consistency terms")
    loss.add_argument(
        "--alpha", metavar="RULE", help=f"how far to trust the reference: {', '.join(ALPHAS)} (default: label_prob)"
    )
    loss.add_argument(
        "--alpha-const", type=float, default=0.5, metavar="α", help="its value for --alpha const (default: 0.5)"
    )
    loss.add_argument("--kl-direction", default="target_first", choices=KL_DIRECTIONS, help="(default: target_first)")
    loss.add_argument("--detach-clean", action="store_true", help="no gradient into the clean target")
    add_renamed(
        loss,
        "--guide",
        "--reference",
        default="original",
        metavar="ID",
        help="the frozen model: original (the one a robust model came from), same, or a model (default: original)",
    )
    loss.add_argument("--coupling", choices=COUPLINGS, help="which tower's tokens lead")
    loss.add_argument("--length", dest="n_ctx", type=int, metavar="N", help="learned tokens in a layer")
    loss.add_argument("--depth", type=int, metavar="J", help="layers that get learned tokens")

    steps = parser.add_argument_group("how it is learned")
    steps.add_argument("--epochs", type=int, metavar="N", help="times that every picture is seen")
    steps.add_argument("--batch", dest="batch_size", type=int, metavar="N", help="pictures in a step")
    steps.add_argument("--lr", type=float, metavar="R", help="learning rate of the second epoch")
    steps.add_argument("--augment", default="none", choices=("none", "crop-flip"), help="(default: none)")
    steps.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop when N epochs brought nothing on the validation pictures, and keep the best (default: 0, never)",
    )
    steps.add_argument(
        "--stop-after",
        type=int,
        default=0,
        metavar="N",
        help="end after N of the epochs and keep the best of them, as “stop and keep the best” does (default: 0, never)",
    )
    steps.add_argument(
        "--val", default="on", choices=("on", "off"), help="measure on validation pictures (default: on)"
    )

    words = parser.add_argument_group("kept in the file")
    for name, what in (("name", "what lists call it"), ("notes", "anything"), ("licence", "of the prompts")):
        words.add_argument(f"--{name}", default="", metavar="TEXT", help=what)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Tune; raises CaptError for arguments that make no sense."""
    session = _Session(args, request_from(args))
    return follow(
        session.request,
        device=args.device,
        progress=session.progress,
        news=session.on_event,
        finish=session.finish,
        cancelled="Cancelled. What was finished is kept: the same command with --resume goes on from there.",
    )


def request_from(args: argparse.Namespace) -> TuneRequest:
    """The same request that the window would build; raises BadRequest."""
    from capt_engine.folders import chosen_model

    step = args.attack_step_size
    request = TuneRequest(
        data=args.data,
        out=args.out,
        data_root=args.data_root,
        model=args.model or chosen_model(),
        method=args.method,
        shots=_shots(args.shots),
        seed=args.seed,
        template=args.template,
        subsample_classes=args.subsample_classes,
        eps=None if args.eps is None else budget(args.eps),
        attack_steps=args.attack_steps,
        attack_step_size=None if step is None else budget(step, name="--attack-step-size"),
        attack_loss=args.attack_loss,
        lambda_=args.lambda_,
        alpha=args.alpha,
        alpha_const=args.alpha_const,
        kl_direction=args.kl_direction,
        detach_clean=args.detach_clean,
        reference=args.reference,
        coupling=args.coupling,
        n_ctx=args.n_ctx,
        depth=args.depth,
        epochs=args.epochs,
        batch_size=args.batch_size,
        lr=args.lr,
        augment=args.augment,
        patience=args.patience or 0,
        stop_after=args.stop_after,
        validate=args.val == "on",
        name=args.name,
        notes=args.notes,
        licence=args.licence,
        resume=args.resume,
        device=args.device,
        precision=args.precision,
    )
    if args.preset is None:
        return request
    # Only here: this loads torch.
    from capt_engine.tuning.presets import with_preset

    return with_preset(request, args.preset, said=[name for name, value in vars(args).items() if value is not None])


def _shots(text: str) -> int | None:
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"--shots {text} is not a number.", "Give 1, 2, 4, 8, 16, or all.") from None


class _Session:
    """What the terminal shows of one run."""

    def __init__(self, args: argparse.Namespace, request: TuneRequest) -> None:
        self.request = request
        self.progress = ProgressLine(quiet=args.quiet)
        self._json: bool = args.json

    def on_event(self, event: Event) -> None:
        """Show the forecast, epochs and remarks; steps are for the window."""
        for news in event.news if isinstance(event, TuneTold) else ():
            if isinstance(news, str):
                self.progress.say(news)
            elif isinstance(news, TuneForecast):
                self.progress.say(_forecast(news))
            elif isinstance(news, TuneEpoch) and news.epoch:
                self.progress.say(_epoch(news))
                if self._json:
                    self.progress.clear()
                    print(json.dumps({"event": "epoch", **_epoch_cells(news)}, allow_nan=False), flush=True)

    def finish(self, result: Result) -> int:
        """Print the summary."""
        assert isinstance(result, TuneResult)
        for failed in result.failed:
            self.progress.say(f"{_shown(failed.path)}: {failed.message} {failed.hint}".rstrip())
        if self._json:
            print(json.dumps({"event": "summary", **_summary(result)}, allow_nan=False))
        else:
            print(self._closing(result))
        return 0

    def _closing(self, result: TuneResult) -> str:
        shots = "all pictures" if result.shots is None else f"{result.shots} pictures per class"
        lines = [
            f"{result.method} for {result.model}: {len(result.classes)} classes, {shots} ({result.n_train} in all), "
            f"{result.ended}, epoch {result.kept_epoch} kept, {duration(result.seconds)}, "
            f"{memory(result.memory_bytes)} at the peak."
        ]
        if result.zero_shot_clean is not None and result.clean is not None:
            lines.append(
                f"On {result.n_val} validation pictures: clean {_words(result.zero_shot_clean)} before, {_words(result.clean)} after;"
            )
            if result.zero_shot_robust is not None and result.robust is not None:
                lines[-1] += f" under PGD-10 {_words(result.zero_shot_robust)} before, {_words(result.robust)} after."
            lines.append("They are few, and have been looked at during tuning: measure on test pictures.")
        lines += [f"Note: {note}" for note in result.notes]
        what = "prompts are" if result.prompts is not None else "tuned model is"
        lines.append(f"The {what} in {_shown(result.out)}. Measure with:")
        lines.append(f"  {_next_command(self.request, result)}")
        return "\n".join(lines)


def _next_command(request: TuneRequest, result: TuneResult) -> str:
    """What measures the prompts, at the budget they were tuned for, on pictures that were not trained on."""
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
    from capt_engine.data.labelled import load_splits

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
        text += f", validation clean {_words(epoch.clean)}"
    if epoch.robust is not None:
        text += f", robust {_words(epoch.robust)}"
    return text + (" (best so far)" if epoch.is_best and epoch.clean is not None else "")


def _words(share: Share) -> str:
    return f"{percent(share.value)} ({interval(share.low, share.high)})"


def _cells(share: Share | None) -> dict[str, object] | None:
    return None if share is None else {"value": share.value, **asdict(share)}


def _epoch_cells(epoch: TuneEpoch) -> dict[str, object]:
    return {**asdict(epoch), "clean": _cells(epoch.clean), "robust": _cells(epoch.robust)}


def _summary(result: TuneResult) -> dict[str, object]:
    shares = ("clean", "robust", "zero_shot_clean", "zero_shot_robust")
    return {**asdict(result), **{name: _cells(getattr(result, name)) for name in shares}}


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
