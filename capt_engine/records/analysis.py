"""Rows and summary of an analysis or evaluation."""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Literal

from capt_engine.frozen import dataclass
from capt_engine.records.pace import Pace
from capt_engine.records.pictures import PictureSet
from capt_engine.records.requests import Request, Result
from capt_engine.records.suites import AttackSpec
from capt_engine.records.threat import ThreatModel
from capt_engine.records.vocabulary import UnknownWord

OOD_FALSE_ALARM = 0.01
"""The share of held-back pictures of a model's own kind that its threshold calls out of distribution."""


@dataclass(frozen=True)
class CheckClassesRequest(Request):
    """Count the tokens of each class name in its template, as one model counts them."""

    model: str
    classes: tuple[str, ...]
    template: str


@dataclass(frozen=True)
class CountTokensRequest(Request):
    """Count the tokens of whole sentences, as one model counts them."""

    model: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class TokensCounted(Result):
    """The number of tokens of each sentence, and how many tokens the model reads."""

    tokens: tuple[int, ...]
    limit: int


@dataclass(frozen=True)
class Verdict:
    """A model's answer to one picture: `logits` and `probabilities` in the order of the class list, each (k,)."""

    logits: tuple[float, ...]
    probabilities: tuple[float, ...]

    @property
    def winner(self) -> int:
        """Return the index, in the class list, of the most probable class; of several equal ones the first."""
        return self.probabilities.index(max(self.probabilities))

    def top(self, count: int) -> tuple[int, ...]:
        """Return the indices, in the class list, of the `count` most probable classes, the most probable first."""
        order = sorted(range(len(self.probabilities)), key=lambda i: (-self.probabilities[i], i))
        return tuple(order[:count])


# slots: thousands are kept, and a dict of more than 30 names, which are not shared any more, takes 2 KB for each
@dataclasses.dataclass(frozen=True, slots=True)
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
    prompts' own or else label_prob; "" where nothing was measured. ood_score: how far the clean picture lies from those that the model
    was trained on, 1 at the threshold of what is out of distribution; None where the model has no statistics of them. store_key: by which
    the result store is asked for the answers to this picture at every budget (StoredAnswersRequest); "" where there are none.
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
    ood_score: float | None = None
    store_key: str = ""

    @property
    def attacked_by(self) -> str:
        """Return the run's label for the attack, such as "pgd[steps=10]", or else its name; "" for no attack."""
        return self.attack_label or (self.attack.name if self.attack is not None else "")

    @property
    def out_of_distribution(self) -> bool | None:
        """Return True for a picture unlike those that the model was trained on; None where that was not judged."""
        return None if self.ood_score is None else self.ood_score > 1


@dataclass(frozen=True)
class AttackSummary:
    """The outcome of one attack over the pictures; fractions in [0, 1].

    accuracy: of the n pictures it was run on; where `skipped` others were broken before, they are not among them.
    cumulative_accuracy: of all pictures, right under this attack and all before it. success_rate: of those of the n that had a right
    answer to lose.
    """

    name: str
    accuracy: float
    cumulative_accuracy: float
    success_rate: float
    seconds: float
    n: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Check:
    """One check of an evaluation. status: "pass", "fail" or "not_run". value: its number, None where there is none; shown: in words.

    name: for scripts, such as "noise-weaker"; title: for people.
    """

    name: str
    title: str
    status: Literal["pass", "fail", "not_run"]
    value: float | None
    shown: str
    message: str


@dataclass(frozen=True)
class MatrixCell:
    """The number `kept` of n pictures that `prompts` answered right under an attack computed on `aimed_at` ("": clean), at one budget."""

    aimed_at: str
    prompts: str
    eps: float
    kept: int
    n: int


@dataclass(frozen=True)
class CorruptionCell:
    """The number `kept` of n pictures that were right under one kind of corruption at one severity."""

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
    """The distance of learned text features from those of the plain sentence: the mean over the classes of 1 − cosine, in [0, 2]."""

    prompts: str
    value: float
    classes: int


@dataclass(frozen=True)
class OutOfDistribution:
    """The number (count) of the n pictures that were judged which look like nothing that the model was trained on."""

    count: int
    n: int


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
class AnalyzeResult(Result):
    """The summary of an analysis or evaluation.

    Accuracies are fractions in [0, 1] with Wilson 95 % intervals, None where nothing was measured.

    label_source "model": accuracy is agreement with the model's own clean prediction. robust_accuracy: the worst case over the attacks
    at the budget of the threat model. suite: the suite that was run. classes: how many the model was asked among, 0 where that is not
    known. notes: what an attack says of its own settings in this run, and what could not be measured. corruptions: one table for each
    set of prompts, where several common corruptions were run; robust_accuracy is None then, as nobody attacked.
    text_drift: of each set of prompts that is not plain text. memory_bytes: the peak so far, of the GPU where the work was done on one
    that counts, else of the whole process; 0 where that is not known. unknown_words:
    those of class names and template that the model was never trained on. out_of_distribution: None where the model has no statistics of
    its training pictures. pace: how long more pictures would take, None where nothing was computed.
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
    unknown_words: tuple[UnknownWord, ...] = ()
    out_of_distribution: OutOfDistribution | None = None
    rows_from_store: int = 0
    store_note: str = ""
    pace: Pace | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ClassesChecked(Result):
    """Tokens each class needs, the model's limit, and which names are too long or stand twice (indices into the list).

    alike: names of other spelling than an earlier one, whose tokens are the same.
    """

    tokens: tuple[int, ...]
    limit: int
    too_long: tuple[int, ...]
    repeated: tuple[int, ...]
    alike: tuple[int, ...] = ()
