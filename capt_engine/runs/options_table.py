"""One table of the options of `capt analyze`, `capt evaluate` and `capt tune`: flag, request field, spelling of values, help.

The terminal makes its parsers of it (`cli/options.py`), and `runs/command_line.py` turns its values into requests and requests into
commands. An option whose field is "" stands for several fields, or for none; `command_line` knows those by their flags.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from dataclasses import field as made_of
from pathlib import Path

from capt_engine.bundled_models import BUNDLED, DEFAULT_MODEL
from capt_engine.data.class_files import as_typed
from capt_engine.data.class_lists import listing_of
from capt_engine.formatting import typed_budget
from capt_engine.records import (
    AIMS,
    CHECK_LEVELS,
    DEVICES,
    LPIPS_NETS,
    NO_PROMPTS,
    PERTURBED,
    PICTURES_KEPT,
    PRECISIONS,
    ROUNDINGS,
    SUITES,
    device_name,
)
from capt_engine.runs.option_values import budget, class_list, listed, shard, shots

# Named here too, so that --help answers at once; a test holds them to the tables.
METHODS = ("capt", "coop", "apt", "vpt", "maple", "adv-maple", "fap", "trades", "pmg-aft", "tecoa")
ALPHAS = (
    "label_prob",
    "batch",
    "confidence",
    "entropy",
    "loss_balance",
    "const",
    "schedule",
    "ramped",
    "clipped",
    "tempered",
)
COUPLINGS = ("vision_to_text", "text_to_vision", "independent", "text_only", "vision_only")
KL_DIRECTIONS = ("target_first", "pred_first", "js")
PRESETS = ("quick", "balanced", "paper")
HALVES = ("all", "base", "new")


COMMON = "common options"


@dataclass(frozen=True)
class Kind:
    """A way to write values: how argparse takes them, what they mean, and how they are printed.

    read: from what argparse gives; raises BadRequest. show: None for an option that is printed
    as its flag alone.
    """

    argparse: dict[str, object] = made_of(default_factory=dict)
    read: Callable[..., object] = lambda value: value
    show: Callable[..., str] | None = str

    def having(self, **settings: object) -> Kind:
        """Return a copy of this kind that passes more keyword `settings` to argparse's `add_argument`."""
        return replace(self, argparse=self.argparse | settings)


TEXT = Kind()
NAME = Kind({"metavar": "NAME"})
MODEL = Kind({"metavar": "ID"})
FOLDER = Kind({"metavar": "DIR"})
DATA = Kind({"metavar": "DATA"})
WHOLE = Kind({"type": int, "metavar": "N"})
NUMBER = Kind({"type": float}, show=repr)
SWITCH = Kind({"action": "store_const", "const": True}, show=None)
PROMPTS = Kind(
    {"metavar": "NAME"},
    read=lambda name: None if name in ("", NO_PROMPTS) else name,
    show=lambda name: name or NO_PROMPTS,
)
# A list of one ends in a comma, so that it is not taken for the name of a file.
CLASSES = Kind(
    {"metavar": "LIST"},
    read=lambda text: class_list(text) if text else (),
    show=lambda names: listing_of(names) or as_typed(names) + ("," if len(names) == 1 else ""),
)
DEVICE = Kind({"metavar": "NAME"}, device_name)
SHARD = Kind({"metavar": "i/N"}, read=shard, show=lambda part: f"{part[0]}/{part[1]}")
SHOTS = Kind({"metavar": "N"}, read=shots, show=lambda count: "all" if count is None else str(count))
ON_OFF = Kind({"choices": ("on", "off")}, lambda word: word == "on", lambda value: "on" if value else "off")
SETTING = Kind({"action": "append", "metavar": "NAME=VALUE"})
PLACES = Kind({"nargs": "+", "metavar": "PATH"}, tuple)
PATH = Kind({"type": Path})
LIST = Kind(read=listed, show=",".join)


def budget_kind(flag: str, metavar: str) -> Kind:
    """Return the `Kind` (the way to read and print values) of an option that takes a budget or step size up to 1.

    flag: the option to name when a value is refused, such as "--eps". metavar: the placeholder for the value in the
    help.
    """
    return Kind({"metavar": metavar}, read=lambda text: budget(text, name=flag), show=typed_budget)


@dataclass(frozen=True)
class Option:
    """One option, or an argument without a flag.

    field: the request's field that it sets, with dots between the parts; its default is that of the record. renamed: its spelling of
    before, still taken. always: printed where it has its default too. hidden: never printed, because it changes no result. group: a
    heading in the help. exclusive: options that have the same word here exclude each other. metavar: where it is not the kind's.
    """

    flag: str
    help: str
    field: str = ""
    kind: Kind = TEXT
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    renamed: str = ""
    always: bool = False
    hidden: bool = False
    group: str = ""
    exclusive: str = ""

    @property
    def name(self) -> str:
        """Return the name of the option's value in argparse's namespace: "--step-size" gives "step_size"."""
        return self.flag.removeprefix("--").replace("-", "_")


_MODEL = (
    Option(
        "--model",
        f"{', '.join(BUNDLED)}, an open_clip folder, or ARCH:SOURCE@FILE.safetensors (default: the last one chosen, else {DEFAULT_MODEL})",
        "options.model",
        MODEL,
        always=True,
    ),
    Option(
        "--prompts",
        "A: an installed prompt checkpoint, a file, or none (default: none, zero-shot)",
        "options.prompts",
        PROMPTS,
        always=True,
    ),
    Option("--compare", "B: a second checkpoint, or none for zero-shot, on the same pictures", "options.compare", NAME),
    Option(
        "--aim",
        "with --compare: attack each on itself, or both with what was computed on A or on B (default: each)",
        "options.aim",
        choices=AIMS,
    ),
    Option(
        "--source-model",
        "compute the attack on this model instead, with plain text, and show it to the model that is asked (transfer)",
        "options.source_model",
        MODEL,
        renamed="--crafted-on",
    ),
    Option(
        "--classes",
        '"a,b,c", a file with one class per line or a map (folder,name), imagenet (its 1,000 classes) or everyday',
        "options.classes",
        CLASSES,
    ),
    Option("--template", 'what surrounds a class name, as in "a photo of a {}."', "options.template"),
)
_NORM = Option(
    "--norm", "what the budget bounds (default: linf)", "options.threat.norm", choices=("linf", "l2"), always=True
)
_ATTACK = (
    Option("--steps", "attack steps (default: the attack's own)", kind=WHOLE),
    Option("--step-size", "k/255 or a number from 0 to 1 (default: chosen from budget and steps)", metavar="S"),
    Option("--restarts", "random restarts (default: 1)", kind=WHOLE),
    Option("--queries", "how often an attack without gradients may ask", kind=WHOLE),
    Option(
        "--stop-early",
        "no more steps on a picture once it is fooled: the same accuracy in less time, milder perturbations",
        kind=SWITCH,
    ),
    Option("--set", "any other setting of the attack, as in momentum=0.75 or loss=margin", kind=SETTING),
    Option(
        "--perturb",
        "pixels that the attack perturbs: the model's input, or the picture's own pixels, resized inside (default: input)",
        "options.threat.perturb",
        # As it was called before.
        Kind({"type": lambda text: PERTURBED[0] if text == "model" else text}),
        choices=PERTURBED,
        renamed="--space",
    ),
    Option(
        "--rounding",
        "what is judged: pictures at full precision, or of 8-bit values as files hold them (default: none)",
        "options.threat.rounding",
        choices=ROUNDINGS,
    ),
    Option(
        "--target", "make the model say this class (default: any wrong one)", "options.threat.target", metavar="CLASS"
    ),
    Option("--batch", "pictures per forward pass (default: chosen)", "options.batch_size", WHOLE),
    Option("--strict", "exit with 6 when any picture could not be used", kind=SWITCH),
    Option(
        "--lpips",
        "also measure LPIPS of clean and attacked picture, with weights that `capt lpips import` brought (default of the two: "
        f"{LPIPS_NETS[0]}; vgg takes some ten times as long)",
        "options.lpips",
        Kind({"nargs": "?", "const": LPIPS_NETS[0]}),
        choices=LPIPS_NETS,
    ),
)
_NO_CACHE = Option(
    "--no-cache",
    "compute everything, and look up and store nothing (`capt cache`)",
    "options.cache",
    Kind({"action": "store_const", "const": False}, show=None),
    hidden=True,
)
_OUT = Option("--out", "also keep rows, summary and attacked pictures in this new folder", kind=FOLDER)
_KEEP_PICTURES = Option(
    "--keep-pictures",
    "with --out: PNG files of which fooled pictures, beside the few that a report shows; some are those of at most 1,000 rows, drawn "
    "by the seed (default: some)",
    "options.keep_pictures",
    choices=PICTURES_KEPT,
    hidden=True,
)


def common(prefix: str = "") -> tuple[Option, ...]:
    """Return the options --seed, --precision and --device, which every command that computes has.

    prefix: the path before the fields they set in the request, such as "options."; "" for fields of the request itself.
    """
    return _under(
        COMMON,
        Option("--seed", "of every random draw (default: 0)", f"{prefix}seed", WHOLE, always=True),
        Option(
            "--precision",
            "of the image tower; tf32 on NVIDIA's GPUs, fp16 without bf16 units (default: fp32)",
            f"{prefix}precision",
            choices=PRECISIONS,
            always=True,
        ),
        Option("--device", f"where to compute: {DEVICES} (default: auto)", f"{prefix}device", DEVICE),
    )


def _deterministic(prefix: str = "") -> Option:
    """The option --deterministic, which sets a field of the request, or of the part of it that `prefix` leads to."""
    about = "compute with algorithms that give the same bits each time on one machine, at the cost of time (docs/determinism.md)"
    return Option("--deterministic", about, f"{prefix}deterministic", SWITCH, group=COMMON)


def _under(group: str, *options: Option) -> tuple[Option, ...]:
    """Options with their heading in the help."""
    return tuple(replace(option, group=group) for option in options)


ANALYZE = (
    Option("paths", "pictures and folders (with all folders inside)", "paths", PLACES),
    *_MODEL,
    Option("--attack", "an attack, or none for clean predictions only (default: pgd)", kind=NAME),
    _NORM,
    Option("--eps", "the budget: k/255 or a number from 0 to 1 (default: 4/255; l2: 1.0)", metavar="E"),
    *_ATTACK,
    _OUT,
    _KEEP_PICTURES,
    _NO_CACHE,
    *common("options."),
    _deterministic("options."),
)

EVALUATE = (
    Option(
        "data",
        "class folders, a CSV with path,label, a split_zhou_*.json, or the id of a benchmark under --data-root",
        "data",
        DATA,
    ),
    Option("--split", "train, val or test (default: test, or all where there are no parts)", "split"),
    Option("--data-root", "the folder that holds the benchmarks", "data_root", FOLDER),
    *_MODEL,
    Option(
        "--matrix",
        "instead of --prompts and --compare: attack each of these, and show everyone what was computed on everyone",
        metavar="P1,P2,none",
    ),
    Option(
        "--attack",
        "an attack, or none for clean predictions only; may be given several times: the worst counts (default: pgd)",
        kind=Kind({"action": "append", "metavar": "NAME"}),
    ),
    Option(
        "--suite",
        "attacks that belong together, each on the pictures that those before it left standing: "
        + "; ".join(
            f"{one.name} ({', '.join(dict.fromkeys(spec.name for spec in one.linf))})"
            for one in SUITES
            if one.adversarial
        )
        + "; or what happens to pictures without an attacker: "
        + "; ".join(f"{one.name} ({one.summary})" for one in SUITES if not one.adversarial),
        "suite",
        choices=tuple(one.name for one in SUITES),
    ),
    Option(
        "--skip-broken",
        "without --suite too: later attacks see only what is still right",
        kind=SWITCH,
        renamed="--only-left",
        exclusive="broken",
    ),
    Option(
        "--all-pictures",
        "with --suite: every attack on every picture, which takes longer",
        kind=SWITCH,
        exclusive="broken",
    ),
    _NORM,
    Option(
        "--eps",
        "budgets, k/255 or numbers from 0 to 1; several with commas draw the curve (default: 4/255; l2: 1.0)",
        metavar="E",
    ),
    Option(
        "--curve",
        "auto: from 0 over ε on to a budget that leaves nothing; pictures broken once are not attacked again",
        choices=("auto",),
    ),
    Option(
        "--minimal-eps",
        "also find the smallest ε that breaks each picture, by bisection (relative tolerance, default 0.05)",
        "minimal_eps",
        Kind({"type": float, "metavar": "TOLERANCE", "nargs": "?", "const": 0.05}, show=repr),
    ),
    Option(
        "--checks",
        "how much the evaluation doubts itself: full costs several attacks on up to 100 pictures (default: cheap)",
        "checks",
        choices=CHECK_LEVELS,
    ),
    *_ATTACK,
    Option(
        "--target-column",
        "the column of the CSV that holds each picture's target, as an index among the classes (from 0), instead of --target",
        "options.threat.target_column",
        metavar="NAME",
    ),
    Option("--limit", "at most N pictures, evenly over the classes", "limit", WHOLE),
    Option(
        "--subsample-classes",
        "among the first or second half of the classes",
        "subsample_classes",
        choices=HALVES,
        renamed="--half",
    ),
    Option("--shard", "only the i-th of N parts of the pictures", "shard", SHARD),
    _OUT,
    _KEEP_PICTURES,
    _NO_CACHE,
    Option("--resume", "go on where the same command with --out RUN_DIR was stopped", metavar="RUN_DIR"),
    Option("--rows", "also print each picture's outcome (--json always does)", kind=SWITCH),
    *common("options."),
    _deterministic("options."),
)

TUNE = (
    Option("data", "class folders, a CSV with path,label, a split_zhou_*.json, or a benchmark's id", "data", DATA),
    Option(
        "--out",
        "where the prompts go (tecoa: a new folder)",
        "out",
        Kind({"metavar": "FILE.safetensors", "required": True}),
        always=True,
    ),
    Option(
        "--model",
        f"as in `capt analyze` (default: the last one chosen, else {DEFAULT_MODEL})",
        "model",
        MODEL,
        always=True,
    ),
    Option(
        "--method",
        f"{', '.join(METHODS)}, or a plug-in's method as `capt doctor` names it (default: capt)",
        "method",
        NAME,
    ),
    Option("--preset", f"{', '.join(PRESETS)}: settings that are not given themselves", kind=NAME),
    Option("--shots", "pictures per class, or all (default: 16)", "shots", SHOTS),
    Option("--resume", "go on where an earlier run of the same command stopped", "resume", SWITCH, hidden=True),
    Option("--data-root", "the folder of the benchmarks", "data_root", FOLDER),
    Option(
        "--subsample-classes",
        "of the classes (default: all)",
        "subsample_classes",
        choices=HALVES,
        renamed="--half",
    ),
    Option("--template", "what surrounds a class name (default: the data set's own)", "template"),
    *_under(
        "the attack inside training; each default is the method's and the model's own",
        Option("--eps", "its budget: k/255 or a number from 0 to 1", "eps", budget_kind("--eps", "E")),
        Option("--attack-steps", "its steps", "attack_steps", WHOLE),
        Option(
            "--attack-step-size",
            "k/255 or a number from 0 to 1",
            "attack_step_size",
            budget_kind("--attack-step-size", "S"),
        ),
        Option("--attack-loss", "what it climbs", "attack_loss", choices=("ce", "kl")),
    ),
    *_under(
        "what is learned",
        Option("--lambda", "weight of the consistency terms", "lambda_", NUMBER, metavar="λ"),
        Option(
            "--alpha",
            f"how far to trust the reference: {', '.join(ALPHAS)} (default: label_prob)",
            "alpha",
            metavar="RULE",
        ),
        Option("--alpha-const", "its value for --alpha const (default: 0.5)", "alpha_const", NUMBER, metavar="α"),
        Option("--kl-direction", "(default: target_first)", "kl_direction", choices=KL_DIRECTIONS),
        Option("--detach-clean", "no gradient into the clean target", "detach_clean", SWITCH),
        Option(
            "--reference",
            "the frozen model: original (the one a robust model came from), same, or a model (default: original)",
            "reference",
            MODEL,
            renamed="--guide",
        ),
        Option("--coupling", "which tower's tokens lead", "coupling", choices=COUPLINGS),
        Option("--length", "learned tokens in a layer", "n_ctx", WHOLE),
        Option("--depth", "layers that get learned tokens", "depth", WHOLE, metavar="J"),
    ),
    *_under(
        "how it is learned",
        Option("--epochs", "times that every picture is seen", "epochs", WHOLE),
        Option("--batch", "pictures in a step", "batch_size", WHOLE),
        Option("--lr", "learning rate of the second epoch", "lr", NUMBER, metavar="R"),
        Option("--augment", "(default: none)", "augment", choices=("none", "crop-flip")),
        Option(
            "--patience",
            "stop when N epochs brought nothing on the validation pictures, and keep the best (default: 0, never)",
            "patience",
            WHOLE,
        ),
        Option(
            "--stop-after",
            "end after N of the epochs and keep the best of them, as “stop and keep the best” does (default: 0, never)",
            "stop_after",
            WHOLE,
        ),
        Option("--val", "measure on validation pictures (default: on)", "validate", ON_OFF),
    ),
    *_under(
        "kept in the file",
        Option("--name", "what lists call it", "name", metavar="TEXT"),
        Option("--notes", "anything", "notes", metavar="TEXT"),
        Option("--licence", "of the prompts", "licence", metavar="TEXT"),
    ),
    *common(),
    _deterministic(),
)
