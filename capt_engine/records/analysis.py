"""Pictures, models and attacks: what is asked of an analysis or evaluation, its rows, and its summary."""

from __future__ import annotations

from dataclasses import dataclass

from capt_engine.records.catalogue import ParamValue
from capt_engine.records.pictures import PictureSet
from capt_engine.records.suites import PGD, AttackSpec, labels, narrowed, suite
from capt_engine.records.threat import USUAL_THREAT, ThreatModel

CHECK_LEVELS = ("off", "cheap", "full")
"""How much an evaluation doubts itself: not at all; what costs little; every check, which costs several attacks on up to 100 pictures."""

LPIPS_NETS = ("alex", "vgg")
"""The networks that LPIPS can be measured with, where their weights are installed; the first is the cheap one, and the authors' choice."""


@dataclass(frozen=True)
class AnalyzeRequest:
    """Predict, attack and compare unlabelled pictures.

    paths: files and folders (folders are walked). classes: empty means the model's own suggestion, as does an empty template.
    prompts (A): an installed checkpoint, a file, or None for plain text. compare (B): a second one on the same pictures, NO_PROMPTS
    for plain text; None compares with nothing. aim: whom the attack is aimed at, one of AIMS. crafted_on: the id of a model with plain
    text on which the attack is computed instead (transfer), "" for none.
    attack: None means clean predictions only. batch: pictures per forward pass, 0 lets the engine choose. keep: a folder in which the
    engine keeps the run (rows, pictures, manifest, summary), "" keeps nothing; resume: go on with the run that was kept there.
    lpips: also measure LPIPS with this network, one of LPIPS_NETS; "" does not.
    """

    paths: tuple[str, ...]
    model: str = "demo"
    prompts: str | None = None
    compare: str | None = None
    aim: str = "each"
    classes: tuple[str, ...] = ()
    template: str = ""
    attack: AttackSpec | None = PGD
    threat: ThreatModel = USUAL_THREAT
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"
    batch: int = 0
    with_pictures: bool = True
    keep: str = ""
    resume: bool = False
    source_model: str = ""
    lpips: str = ""

    @property
    def all_attacks(self) -> tuple[AttackSpec, ...]:
        """The attack as a list of one, or of none."""
        return () if self.attack is None else (self.attack,)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the attack is called in rows and figures."""
        return labels(self.all_attacks)

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budget as a list of one."""
        return (self.threat.eps,)

    @property
    def headline(self) -> float:
        """The budget that a verdict is about."""
        return self.threat.eps

    @property
    def pairs(self) -> int:
        """Rows that each attack at each budget gives of a picture."""
        return 1 if self.compare is None else 2


@dataclass(frozen=True)
class EvaluateRequest:
    """Predict and attack labelled pictures, and count what stays right.

    data: class folders, a CSV with `path,label`, a split file of CoOp's, or the id of a benchmark under `data_root`. split: "" means the
    only one there is, else "test". attacks: each is run at each budget of `curve` (empty: at the threat's own); the worst of them counts.
    suite: the name of a suite, whose attacks are run before `attacks`; shared_values: settings for all attacks that know them; of
    an attack that stands there with several settings, those are run that have them. One attack may stand there several times with
    different settings. Several corruptions make a table: each is run on every picture, and there is no worst case over them.
    only_left: a picture that was wrong to begin with, or that an attack has broken at a budget, is not attacked again at that budget.
    until_chance: it is not attacked at larger budgets either, which makes a long curve cheap. matrix: several sets of prompts, each
    attacked and each judged on what was computed on every one of them; instead of prompts and compare.
    minimal_eps: also search the smallest budget that breaks each picture, to this relative tolerance; 0 does not. checks: one of
    CHECK_LEVELS. limit: at most so many pictures, drawn evenly over the classes by `seed`; 0 means all. shard: (i, N), the i-th of N
    parts, from 1. skip: paths that are done already. subsample_classes: among "all" classes, or the "base" or "new" half of them.
    The rest is as in `AnalyzeRequest`.
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
    attacks: tuple[AttackSpec, ...] = (PGD,)
    threat: ThreatModel = USUAL_THREAT
    curve: tuple[float, ...] = ()
    limit: int = 0
    shard: tuple[int, int] = (1, 1)
    skip: tuple[str, ...] = ()
    subsample_classes: str = "all"
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"
    batch: int = 0
    with_pictures: bool = False
    keep: str = ""
    resume: bool = False
    suite: str = ""
    shared_values: tuple[tuple[str, ParamValue], ...] = ()
    skip_broken: bool = False
    until_chance: bool = False
    matrix: tuple[str, ...] = ()
    minimal_eps: float = 0.0
    checks: str = "cheap"
    source_model: str = ""
    lpips: str = ""

    @property
    def all_attacks(self) -> tuple[AttackSpec, ...]:
        """Those of the suite, and then the others; raises KeyError for a suite that is none.

        An attack of the suite that is named again without settings is not run twice.
        """
        first = suite(self.suite).of(self.threat.norm, targeted=self.threat.target is not None) if self.suite else ()
        there = {one.name for one in first}
        more = (spec for spec in self.attacks if spec.name not in there or (spec.values and spec not in first))
        return narrowed((*first, *more), self.shared_values)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of them is called in rows and figures."""
        return labels(self.all_attacks)

    @property
    def budgets(self) -> tuple[float, ...]:
        """Every budget, smallest first."""
        return tuple(sorted(set(self.curve or (self.threat.eps,))))

    @property
    def headline(self) -> float:
        """The budget that a verdict is about: the largest, or on a curve that goes on until chance the one that was asked for."""
        return self.threat.eps if self.until_chance and self.threat.eps in self.budgets else self.budgets[-1]

    @property
    def pairs(self) -> int:
        """Rows that each attack at each budget gives of a picture: one for each pair of who was attacked and who is asked."""
        return len(self.matrix) ** 2 or (1 if self.compare is None else 2)

    @property
    def asked(self) -> int:
        """Sets of prompts that are asked about each picture."""
        return len(self.matrix) or (1 if self.compare is None else 2)


@dataclass(frozen=True)
class CheckClassesRequest:
    """Count the tokens of each class name in its template, as one model counts them."""

    model: str
    classes: tuple[str, ...]
    template: str


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
    model after being saved and read again, or after being made half as large and large again. skipped: why this attack was not run on
    this picture ("wrong before", "broken by apgd-ce", "broken at 1/255"), which counts as lost; "" where it was. minimal_eps: the
    smallest budget found that breaks the picture, None where it was not searched or none was found. attack_label: what the attack
    is called where the run has it with several settings, as in "pgd[steps=10]"; "" for its name. frozen: the answer of the frozen
    zero-shot model to the clean picture, "" where it was not asked. alpha_rule: the rule by which the metric alpha was computed, the
    prompts' own or else label_prob; "" where nothing was measured.
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
    survives_jpeg75: bool | None = None
    survives_resize: bool | None = None
    skipped: str = ""
    minimal_eps: float | None = None
    attack_label: str = ""
    frozen: str = ""
    alpha_rule: str = ""

    @property
    def attacked_by(self) -> str:
        """What the attack is called among those of its run; "" for none."""
        return self.attack_label or (self.attack.name if self.attack is not None else "")


@dataclass(frozen=True)
class AttackSummary:
    """How the pictures fared under one attack; fractions in [0, 1].

    accuracy: of the n pictures it was run on; where `skipped` others were broken before, they are not among them. success_rate: of
    those of the n that had a right answer to lose.
    """

    name: str
    accuracy: float
    success_rate: float
    seconds: float
    n: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Check:
    """One doubt about an evaluation. status: "pass", "fail" or "not_run". value: its number, None where there is none; shown: in words.

    name: for scripts, such as "noise-weaker"; title: for people.
    """

    name: str
    title: str
    status: str
    value: float | None
    shown: str
    message: str


@dataclass(frozen=True)
class MatrixCell:
    """Of n pictures, how many `prompts` still had right under what was computed on `aimed_at` ("": the clean pictures), at one budget."""

    aimed_at: str
    prompts: str
    eps: float
    kept: int
    n: int


@dataclass(frozen=True)
class CorruptionCell:
    """Of n pictures, how many were right under one kind of corruption at one severity."""

    kind: str
    severity: int
    kept: int
    n: int


@dataclass(frozen=True)
class CorruptionMean:
    """The mean accuracy over the severities of one kind, or over all kinds (kind ""), in [0, 1].

    low, high: a 95 % interval from resampling pictures, whose answers to several corruptions belong together; None where there are too
    few pictures for one, or all fared alike.
    """

    kind: str
    accuracy: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CorruptionTable:
    """Kinds × severities for one set of prompts, and their means; `mean` weighs every kind alike. n: pictures.

    worst: of n, how many were right under every single corruption, which is no robust accuracy: nobody searched for the worst.
    """

    prompts: str
    n: int
    clean: int
    cells: tuple[CorruptionCell, ...]
    kinds: tuple[CorruptionMean, ...]
    mean: CorruptionMean
    worst: int


@dataclass(frozen=True)
class Figure:
    """One number about a whole run, by its name in the table of figures, and of how many pictures it speaks."""

    name: str
    value: float
    n: int


@dataclass(frozen=True)
class TextDrift:
    """How far some prompts have moved the text features from the plain sentence: the mean over the classes of 1 − cosine, in [0, 2]."""

    prompts: str
    value: float
    classes: int


@dataclass(frozen=True)
class MinimalEps:
    """The smallest budgets that break pictures which were right when clean: quartiles over the n that were searched.

    A quartile is None where too many pictures never broke; unbroken: how many. tolerance: relative, of each picture's own value.
    """

    n: int
    unbroken: int
    lower: float | None
    median: float | None
    upper: float | None
    tolerance: float


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
    at the budget of the threat model. suite: the suite that was run. classes: how many the model was asked among, 0 where that is not
    known. notes: what an attack says of its own settings in this run, and what could not be measured. corruptions: one table for each
    set of prompts, where several common corruptions were run; robust_accuracy is None then, as nobody attacked.
    text_drift: of each set of prompts that is not plain text. memory_bytes: the peak so far, of the GPU where the work was done on one
    that counts, else of the whole process; 0 where that is not known.
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
    checks: tuple[Check, ...] = ()
    figures: tuple[Figure, ...] = ()
    matrix: tuple[MatrixCell, ...] = ()
    minimal_eps: MinimalEps | None = None
    suite: str = ""
    classes: int = 0
    notes: tuple[str, ...] = ()
    corruptions: tuple[CorruptionTable, ...] = ()
    text_drift: tuple[TextDrift, ...] = ()
    memory_bytes: int = 0


@dataclass(frozen=True)
class ClassesChecked:
    """Tokens each class needs, the model's limit, and which names are too long or stand twice (indices into the list)."""

    tokens: tuple[int, ...]
    limit: int
    too_long: tuple[int, ...]
    repeated: tuple[int, ...]
