"""The options of every verb that asks models about pictures: which model, which prompts, which attack."""

from __future__ import annotations

import argparse
from pathlib import Path

from capt_engine.cli.options import add_renamed, budget
from capt_engine.errors import BadRequest
from capt_engine.records import AIMS, LPIPS_NETS, PERTURBED, ROUNDINGS, AttackSpec, ParamValue, ThreatModel

_DEFAULT_EPS = {"linf": 4 / 255, "l2": 1.0}


def add_model(parser: argparse.ArgumentParser) -> None:
    """The model, its prompts, and what it is asked about."""
    parser.add_argument(
        "--model",
        metavar="ID",
        help="demo, demo-robust, an open_clip folder, or ARCH:SOURCE@FILE.safetensors (default: the last one chosen, else demo)",
    )
    parser.add_argument(
        "--prompts",
        metavar="NAME",
        help="A: an installed prompt checkpoint, a file, or none (default: none, zero-shot)",
    )
    parser.add_argument(
        "--compare", metavar="NAME", help="B: a second checkpoint, or none for zero-shot, on the same pictures"
    )
    parser.add_argument(
        "--aim",
        default="each",
        choices=AIMS,
        help="with --compare: attack each on itself, or both with what was computed on A or on B (default: each)",
    )
    add_renamed(
        parser,
        "--crafted-on",
        "--source-model",
        default="",
        metavar="ID",
        help="compute the attack on this model instead, with plain text, and show it to the model that is asked (transfer)",
    )
    parser.add_argument("--classes", metavar="LIST", help='"a,b,c" or a file with one class per line')
    parser.add_argument("--template", default="", help='what surrounds a class name, as in "a photo of a {}."')


def add_attack(parser: argparse.ArgumentParser) -> None:
    """The attack's settings, but for its name and budget."""
    parser.add_argument("--norm", default="linf", choices=("linf", "l2"), help="what the budget bounds (default: linf)")
    parser.add_argument("--steps", type=int, metavar="N", help="attack steps (default: the attack's own)")
    parser.add_argument(
        "--step-size", metavar="S", help="k/255 or a number from 0 to 1 (default: chosen from budget and steps)"
    )
    parser.add_argument("--restarts", type=int, metavar="N", help="random restarts (default: 1)")
    parser.add_argument("--queries", type=int, metavar="N", help="how often an attack without gradients may ask")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting of the attack, as in momentum=0.75 or loss=margin",
    )
    add_renamed(
        parser,
        "--space",
        "--perturb",
        default=PERTURBED[0],
        type=lambda text: PERTURBED[0] if text == "model" else text,  # as it was called
        choices=PERTURBED,
        help="pixels that the attack perturbs: the model's input, or the picture's own pixels, resized inside (default: %(default)s)",
    )
    parser.add_argument(
        "--rounding",
        default=ROUNDINGS[0],
        choices=ROUNDINGS,
        help="what is judged: pictures at full precision, or of 8-bit values as files hold them (default: %(default)s)",
    )
    parser.add_argument(
        "--stop-early",
        action="store_true",
        help="no more steps on a picture once it is fooled: the same accuracy in less time, milder perturbations",
    )
    parser.add_argument("--target", metavar="CLASS", help="make the model say this class (default: any wrong one)")
    parser.add_argument("--batch", type=int, default=0, metavar="N", help="pictures per forward pass (default: chosen)")
    parser.add_argument("--strict", action="store_true", help="exit with 6 when any picture could not be used")


def add_lpips(parser: argparse.ArgumentParser) -> None:
    """The measurement that has to be asked for."""
    parser.add_argument(
        "--lpips",
        nargs="?",
        default="",
        const=LPIPS_NETS[0],
        choices=LPIPS_NETS,
        help="also measure LPIPS of clean and attacked picture, with weights that `capt lpips import` brought (default of the two: "
        f"{LPIPS_NETS[0]}; vgg takes some ten times as long)",
    )


def add_out(parser: argparse.ArgumentParser) -> None:
    """Where a run is kept."""
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="also keep rows, summary and attacked pictures in this new folder"
    )


def prompts(name: str | None) -> str | None:
    """The request's word for prompts: None for zero-shot."""
    return None if name in (None, "", "none") else name


def attack(args: argparse.Namespace, name: str) -> AttackSpec | None:
    """The attack called `name` with the settings that were given; None for none. Raises BadRequest."""
    return None if name == "none" else AttackSpec(name, settings(args))


def settings(args: argparse.Namespace) -> tuple[tuple[str, ParamValue], ...]:
    """The attack's settings that were given; raises BadRequest."""
    values: list[tuple[str, ParamValue]] = []
    if args.steps is not None:
        values.append(("steps", args.steps))
    if args.step_size is not None:
        values.append(("step_size", budget(args.step_size, norm=args.norm, name="--step-size")))
    if args.restarts is not None:
        values.append(("restarts", args.restarts))
    if args.queries is not None:
        values.append(("queries", args.queries))
    if args.stop_early:
        values.append(("stop_early", True))
    return (*values, *(_setting(text) for text in args.set))


def _setting(text: str) -> tuple[str, ParamValue]:
    """`NAME=VALUE`: a number, yes or no, or a word; raises BadRequest."""
    name, equals, told = text.partition("=")
    if not (name and equals and told):
        raise BadRequest(f"--set {text} is not NAME=VALUE.", "For example --set momentum=0.75.")
    if told.lower() in ("true", "yes", "false", "no"):
        return name, told.lower() in ("true", "yes")
    over, slash, under = told.partition("/")
    try:
        number = float(over) / float(under) if slash else float(told)
    except (ValueError, ZeroDivisionError):
        return name, told
    return name, int(number) if told.lstrip("-").isdecimal() else number


def budgets(args: argparse.Namespace) -> tuple[float, ...]:
    """The budgets of --eps, one or several with commas between them; the norm's own where none was given. Raises BadRequest."""
    if args.eps is None:
        return (_DEFAULT_EPS[args.norm],)
    return tuple(budget(part.strip(), norm=args.norm) for part in args.eps.split(","))


def threat(args: argparse.Namespace, eps: float) -> ThreatModel:
    """What the attacker may do."""
    return ThreatModel(
        norm=args.norm,
        eps=eps,
        target=args.target,
        perturb=args.perturb,
        rounding=args.rounding,
    )
