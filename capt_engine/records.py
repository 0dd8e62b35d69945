"""Every frozen value that passes the door: requests in, events and results out.

Plain values only (numbers, strings, tuples, bytes): no tensors, no arrays, no Qt types. They can be compared in tests, written to
JSON, printed in a report, and sent to another process the day that is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

JobId = NewType("JobId", int)

NO_PROMPTS = "none"
"""The id of plain text, where a prompt checkpoint could stand."""

AIMS = ("each", "a", "b")
"""Whom an attack is aimed at where two sets of prompts are compared: each at its own, or both get the one computed on A, or on B."""

Number = int | float
ParamValue = bool | int | float | str


@dataclass(frozen=True)
class Picture:
    """An 8-bit RGB picture: `rgb` holds height × width × 3 bytes, rows from the top."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True)
class SignedPicture:
    """A perturbation: `values` holds height × width × 3 signed bytes v, each standing for v / 127 × `scale` in pixel units [0, 1]."""

    width: int
    height: int
    scale: float
    values: bytes


@dataclass(frozen=True)
class PictureSet:
    """The three pictures of one analysis, all at the model's own input size."""

    seen: Picture
    perturbation: SignedPicture
    adversarial: Picture


@dataclass(frozen=True)
class ParamInfo:
    """One setting of an attack, enough to draw a form field, write a caption or a line of help.

    `kind` is "float", "int", "bool" or "choice". A `unit` of "/255" means: stored in [0, 1], shown times 255.
    """

    name: str
    label: str
    kind: str
    default: ParamValue
    low: Number | None = None
    high: Number | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class AttackInfo:
    """One attack of the catalogue; `params` are its Expert settings."""

    name: str
    label: str
    summary: str
    params: tuple[ParamInfo, ...]


@dataclass(frozen=True)
class NormInfo:
    """One norm, with the budget offered first and the largest that makes sense (both in pixel units [0, 1])."""

    name: str
    label: str
    summary: str
    default_eps: float
    high_eps: float


@dataclass(frozen=True)
class MetricInfo:
    """One measurement of a picture and its attacked double; `higher_is_better` is None where neither is."""

    name: str
    label: str
    unit: str
    low: float | None
    high: float | None
    higher_is_better: bool | None
    help: str


@dataclass(frozen=True)
class ModelInfo:
    """One model that can be chosen. `classes` and `template` are what it is asked about when the user has not said; `eps` is the L∞
    budget offered first, in pixel units [0, 1], where the norm's own would break every picture."""

    id: str
    label: str
    summary: str
    classes: tuple[str, ...]
    template: str
    warning: str = ""
    eps: float | None = None


@dataclass(frozen=True)
class PromptsInfo:
    """One prompt checkpoint that can be chosen: `id` is a name of the installed ones or a file; `model` is the id of its backbone.

    classes, template: what it was tuned on. bundled: it ships with the program; otherwise it is the user's own.
    """

    id: str
    label: str
    summary: str
    model: str = ""
    method: str = ""
    classes: tuple[str, ...] = ()
    template: str = ""
    bundled: bool = False


@dataclass(frozen=True)
class DeviceInfo:
    """Where the work is done: `name` is "cpu", "cuda" or "mps"; `note` says what a user should know about it, if anything."""

    name: str
    label: str
    memory_bytes: int | None
    note: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Everything the window can offer; it arrives with the first event."""

    attacks: tuple[AttackInfo, ...]
    norms: tuple[NormInfo, ...]
    metrics: tuple[MetricInfo, ...]
    models: tuple[ModelInfo, ...]
    prompts: tuple[PromptsInfo, ...]


@dataclass(frozen=True)
class ThreatModel:
    """What the attacker wants, knows and may do; it travels with every number.

    eps: budget in pixel units [0, 1] of the norm (for "l2": the Euclidean length over all h × w × 3 values).
    target: the class the attacker wants to see, None when any wrong class will do.
    """

    norm: str = "linf"
    eps: float = 4 / 255
    target: str | None = None
    knowledge: str = "white-box"
    space: str = "model input"

    @property
    def goal(self) -> str:
        """ "untargeted" or "targeted"."""
        return "untargeted" if self.target is None else "targeted"


@dataclass(frozen=True)
class AttackSpec:
    """An attack by name, with the settings that differ from its defaults."""

    name: str = "pgd"
    values: tuple[tuple[str, ParamValue], ...] = ()


@dataclass(frozen=True)
class AnalyzeRequest:
    """Predict, attack and compare unlabelled pictures.

    paths: files and folders (folders are walked). classes: empty means the model's own suggestion, as does an empty template.
    prompts (A): an installed checkpoint, a file, or None for plain text. compare (B): a second one on the same pictures, NO_PROMPTS
    for plain text; None compares with nothing. aim: whom the attack is aimed at, one of AIMS.
    attack: None means clean predictions only. batch: pictures per forward pass, 0 lets the engine choose. keep: a folder in which the
    engine keeps the run (rows, pictures, manifest, summary), "" keeps nothing; resume: go on with the run that was kept there.
    """

    paths: tuple[str, ...]
    model: str = "demo"
    prompts: str | None = None
    compare: str | None = None
    aim: str = "each"
    classes: tuple[str, ...] = ()
    template: str = ""
    attack: AttackSpec | None = AttackSpec()
    threat: ThreatModel = ThreatModel()
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"
    batch: int = 0
    with_pictures: bool = True
    keep: str = ""
    resume: bool = False


@dataclass(frozen=True)
class EvaluateRequest:
    """Predict and attack labelled pictures, and count what stays right.

    data: class folders, a CSV with `path,label`, a split file of CoOp's, or the id of a benchmark under `data_root`. split: "" means the
    only one there is, else "test". attacks: each is run at each budget of `curve` (empty: at the threat's own); the worst of them counts.
    limit: at most so many pictures, drawn evenly over the classes by `seed`; 0 means all. shard: (i, N), the i-th of N parts, from 1.
    skip: paths that are done already. half: among "all" classes, or the "base" or "new" half of them. The rest is as in `AnalyzeRequest`.
    """

    data: str
    split: str = ""
    data_root: str = ""
    model: str = "demo"
    prompts: str | None = None
    compare: str | None = None
    aim: str = "each"
    classes: tuple[str, ...] = ()
    template: str = ""
    attacks: tuple[AttackSpec, ...] = (AttackSpec(),)
    threat: ThreatModel = ThreatModel()
    curve: tuple[float, ...] = ()
    limit: int = 0
    shard: tuple[int, int] = (1, 1)
    skip: tuple[str, ...] = ()
    half: str = "all"
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"
    batch: int = 0
    with_pictures: bool = False
    keep: str = ""
    resume: bool = False


@dataclass(frozen=True)
class ReportRequest:
    """Write a report of kept runs: one run, or several side by side.

    runs: run folders. out: the file; its ending (.pdf, .html, .csv, .json) says the format. sections: ids to include, empty for all.
    redact: show numbers instead of the names of files and folders. preview: draw the pages as pictures instead of writing a file
    (`out` then only says the format); they arrive as `PagesReady`.
    """

    runs: tuple[str, ...]
    out: str
    sections: tuple[str, ...] = ()
    redact: bool = False
    preview: bool = False
    page_width: int = 900


@dataclass(frozen=True)
class ListRunsRequest:
    """Which runs are kept in a folder ("" for the program's own), newest first."""

    folder: str = ""


@dataclass(frozen=True)
class TuneRequest:
    """Learn prompts from a few labelled pictures per class and write them to `out`; None stands for the default of method and model.

    data: as in `EvaluateRequest`; its training pictures are drawn from, its validation pictures watched, its test pictures never touched.
    shots: pictures per class, None for all. eps, attack_step_size: of the attack inside training, in pixel units [0, 1]; attack_loss is
    "ce" or "kl". weight: λ. alpha: a rule by name. guide: "original" (zero-shot, of the model that a robust one came from), "same", or a
    model id. coupling, length, depth: the prompts' shape. rate: the learning rate after the first epoch. augment: "none", or
    "crop-flip". patience: stop when the validation has not improved for so many epochs and keep the best; 0 goes on to the last and keeps
    that one, as published. validate: watch the validation pictures. half: tune on "all" classes, or the "base" or "new" half of them.
    resume: go on where an earlier run of the same request was stopped.
    """

    data: str
    out: str
    data_root: str = ""
    model: str = "demo"
    method: str = "capt"
    shots: int | None = 16
    seed: int = 0
    template: str = ""
    half: str = "all"
    eps: float | None = None
    attack_steps: int | None = None
    attack_step_size: float | None = None
    attack_loss: str | None = None
    weight: float | None = None
    alpha: str | None = None
    alpha_const: float = 0.5
    kl_direction: str = "target_first"
    detach_clean: bool = False
    guide: str = "original"
    coupling: str | None = None
    length: int | None = None
    depth: int | None = None
    epochs: int | None = None
    batch: int | None = None
    rate: float | None = None
    augment: str = "none"
    patience: int = 0
    validate: bool = True
    name: str = ""
    notes: str = ""
    licence: str = ""
    resume: bool = False
    device: str = "auto"
    precision: str = "fp32"


@dataclass(frozen=True)
class PreviewRequest:
    """Find the pictures in files and folders, and draw a small view of each; needs no model."""

    paths: tuple[str, ...]
    size: int = 160


@dataclass(frozen=True)
class CheckClassesRequest:
    """Count the tokens of each class name in its template, as one model counts them."""

    model: str
    classes: tuple[str, ...]
    template: str


Request = (
    AnalyzeRequest
    | EvaluateRequest
    | TuneRequest
    | ReportRequest
    | ListRunsRequest
    | PreviewRequest
    | CheckClassesRequest
)


@dataclass(frozen=True)
class Verdict:
    """What a model says of one picture: `logits` and `probabilities` in the order of the class list, each (k,)."""

    logits: tuple[float, ...]
    probabilities: tuple[float, ...]

    @property
    def winner(self) -> int:
        """Index of the most probable class."""
        return self.probabilities.index(max(self.probabilities))

    def top(self, count: int) -> tuple[int, ...]:
        """Indices of the `count` most probable classes, best first."""
        order = sorted(range(len(self.probabilities)), key=lambda i: (-self.probabilities[i], i))
        return tuple(order[:count])


@dataclass(frozen=True)
class PictureRow:
    """One picture × one attack × one model: the row that the window, the CSV and a report share.

    label: the true class, or where nobody gave labels (label_source "model") the model's own clean prediction. attacked and attack are
    None when no attack was asked for. success: the attack turned a right answer into a wrong one (or into its target); None where there
    was no attack, or no right answer to turn. prompt_id: the prompts that answered; aimed_at: those the attack was computed on.
    `metrics` holds (name, value) for every metric of the catalogue that applies. `survives_*`: does the attacked picture still fool the
    model after being saved and read again.
    """

    path: str
    sha256: str
    width: int
    height: int
    label: str
    label_source: str
    classes: tuple[str, ...]
    clean: Verdict
    attacked: Verdict | None
    attack: AttackSpec | None
    steps: int
    restarts: int
    threat: ThreatModel
    seed: int
    success: bool | None
    metrics: tuple[tuple[str, float], ...]
    survives_png: bool | None
    survives_jpeg95: bool | None
    time_s: float
    model_id: str
    prompt_id: str
    pictures: PictureSet | None = None
    notes: tuple[str, ...] = ()
    aimed_at: str = ""


@dataclass(frozen=True)
class FailedPicture:
    """A picture that could not be used: what happened and what to do."""

    path: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Preview:
    """A small view of one picture, with its true size and what the decoder remarked."""

    path: str
    width: int
    height: int
    thumbnail: Picture
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AttackSummary:
    """How the pictures fared under one attack; fractions in [0, 1]."""

    name: str
    accuracy: float
    success_rate: float
    seconds: float


@dataclass(frozen=True)
class CurvePoint:
    """Robust accuracy at one budget, the worst case over the attacks, with its Wilson 95 % interval; fractions in [0, 1]."""

    eps: float
    robust_accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassScore:
    """One class: its pictures, and how many of them were right, clean and under the worst of the attacks (None: no attack)."""

    name: str
    n: int
    clean_correct: int
    robust_correct: int | None


@dataclass(frozen=True)
class PairedTest:
    """McNemar's exact test of A and B on the same pictures: how many only A had right, only B, and the two-sided p.

    difference: B's accuracy minus A's, in [−1, 1], with the 95 % interval of Newcombe's method 10 (1998).
    """

    only_a: int
    only_b: int
    n: int
    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """B beside A: B's own result, and the paired tests (None where nothing was labelled or attacked)."""

    other: AnalyzeResult
    clean: PairedTest | None
    robust: PairedTest | None


@dataclass(frozen=True)
class AnalyzeResult:
    """The summary of an analysis or evaluation; accuracies are fractions in [0, 1] with Wilson 95 % intervals, None where nothing was
    measured.

    label_source "model": accuracy is agreement with the model's own clean prediction. robust_accuracy: the worst case over the attacks
    at the largest budget.
    """

    n: int
    n_failed: int
    label_source: str
    clean_accuracy: float | None
    clean_interval: tuple[float, float] | None
    robust_accuracy: float | None
    robust_interval: tuple[float, float] | None
    attacks: tuple[AttackSummary, ...]
    consistency: tuple[tuple[str, float], ...]
    threat_model: ThreatModel
    model: str
    prompts: str
    device: str
    wall_s: float
    images_per_s: float
    model_sha256: str = ""
    prompts_sha256: str = ""
    curve: tuple[CurvePoint, ...] = ()
    per_class: tuple[ClassScore, ...] = ()
    compared: Comparison | None = None


@dataclass(frozen=True)
class Share:
    """k of n, with the Wilson 95 % interval; fractions in [0, 1]."""

    k: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """k / n."""
        return self.k / self.n


@dataclass(frozen=True)
class TuneStep:
    """One optimiser step in numbers; α as mean, 10th and 90th percentile; accuracies are of the batch, in [0, 1].

    cross_entropy, train, guide: the terms of the loss, in nats. zero_gradients: share of pixel gradients that were exactly zero.
    """

    epoch: int
    step: int
    rate: float
    loss: float
    cross_entropy: float
    train: float
    guide: float
    alpha_mean: float
    alpha_p10: float
    alpha_p90: float
    gradient_norm: float
    zero_gradients: float
    clean_accuracy: float
    robust_accuracy: float


@dataclass(frozen=True)
class TuneEpoch:
    """What an epoch left behind; the shares are of the validation pictures, None where there are none (or no attack)."""

    epoch: int
    epochs: int
    loss: float
    clean: Share | None
    robust: Share | None
    is_best: bool


@dataclass(frozen=True)
class TuneForecast:
    """From a dry run of three steps: how long the run will take and how much memory the process will need at its peak."""

    steps: int
    seconds: float
    memory_bytes: int
    parameters: int
    batch: int


@dataclass(frozen=True)
class TuneResult:
    """A tuned checkpoint: where it is, which epoch was kept and why the run ended, in words. prompts: None for an image tower.

    zero_shot_*, clean, robust: shares of the validation pictures, before and after, None where there are none.
    """

    out: str
    method: str
    model: str
    classes: tuple[str, ...]
    shots: int | None
    n_train: int
    n_val: int
    epochs: int
    kept_epoch: int
    ended: str
    clean: Share | None
    robust: Share | None
    zero_shot_clean: Share | None
    zero_shot_robust: Share | None
    seconds: float
    memory_bytes: int
    parameters: int
    prompts: PromptsInfo | None
    failed: tuple[FailedPicture, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreviewResult:
    """How many pictures were found and how many of them could not be read."""

    n: int
    n_failed: int


@dataclass(frozen=True)
class ClassesChecked:
    """Tokens each class needs, the model's limit, and which names are too long or stand twice (indices into the list)."""

    tokens: tuple[int, ...]
    limit: int
    too_long: tuple[int, ...]
    repeated: tuple[int, ...]


@dataclass(frozen=True)
class KeptRun:
    """One run on disk: its folder, when it ended (ISO 8601 with zone, "" while it is unfinished), and one line about it."""

    folder: str
    ended: str
    title: str
    n: int
    labelled: bool


@dataclass(frozen=True)
class RunsListed:
    """Kept runs, newest first."""

    runs: tuple[KeptRun, ...]


@dataclass(frozen=True)
class SectionInfo:
    """One section that a report can have: its id and title, and whether there is anything to say in it."""

    id: str
    title: str
    present: bool


@dataclass(frozen=True)
class ReportResult:
    """A report that was written, or only drawn: where it is, its size, its pages (0 where the format has none), its sections."""

    out: str
    n_bytes: int
    pages: int
    sections: tuple[SectionInfo, ...]
    notes: tuple[str, ...] = ()


Result = AnalyzeResult | TuneResult | ReportResult | RunsListed | PreviewResult | ClassesChecked


@dataclass(frozen=True)
class Failure:
    """Why a job failed: `kind` is the error's class name; `traceback` is set only for bugs."""

    kind: str
    message: str
    hint: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class EngineNote:
    """What the engine is doing before it is ready, in words ("Loading torch")."""

    note: str


@dataclass(frozen=True)
class EngineReady:
    """The engine can take work that needs a model; carries all there is to choose from."""

    catalogue: Catalogue
    device: DeviceInfo


@dataclass(frozen=True)
class EngineFailed:
    """The engine could not start (a broken torch, say); no job that needs a model will succeed."""

    failure: Failure


@dataclass(frozen=True)
class JobStarted:
    """A job has left the queue."""

    job: JobId


@dataclass(frozen=True)
class JobProgress:
    """`done` of `total` units of work (total 0: unknown yet), a note in words, and the time that remains, if it can be told."""

    job: JobId
    done: int
    total: int
    note: str
    remaining_s: float | None


@dataclass(frozen=True)
class PicturesFound:
    """The files a preview will show, in order, before any of them is read; `skipped` could not even be looked at."""

    job: JobId
    paths: tuple[str, ...]
    skipped: tuple[FailedPicture, ...] = ()


@dataclass(frozen=True)
class PreviewsReady:
    """Some previews, as they become ready."""

    job: JobId
    previews: tuple[Preview | FailedPicture, ...]


@dataclass(frozen=True)
class RowsReady:
    """Some finished rows, as they become ready."""

    job: JobId
    rows: tuple[PictureRow | FailedPicture, ...]


@dataclass(frozen=True)
class TuneTold:
    """News of a tuning run, in order: the forecast, steps, epochs, and sentences about what was noticed or changed."""

    job: JobId
    news: tuple[TuneForecast | TuneStep | TuneEpoch | str, ...]


@dataclass(frozen=True)
class PagesReady:
    """Some pages of a report's preview, in order; `first` counts from 0, `total` is the number of pages in all."""

    job: JobId
    first: int
    total: int
    pages: tuple[Picture, ...]


@dataclass(frozen=True)
class CatalogueChanged:
    """There is more or less to choose from than before: a checkpoint was tuned, for one."""

    catalogue: Catalogue


@dataclass(frozen=True)
class JobFinished:
    """The job is done."""

    job: JobId
    result: Result


@dataclass(frozen=True)
class JobFailed:
    """The job could not be done; rows already sent stay valid."""

    job: JobId
    failure: Failure


@dataclass(frozen=True)
class JobCancelled:
    """The job was stopped by the user; rows already sent stay valid."""

    job: JobId


Event = (
    EngineNote
    | EngineReady
    | EngineFailed
    | JobStarted
    | JobProgress
    | PicturesFound
    | PreviewsReady
    | RowsReady
    | TuneTold
    | PagesReady
    | CatalogueChanged
    | JobFinished
    | JobFailed
    | JobCancelled
)
