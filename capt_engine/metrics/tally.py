"""From single trials to a result: accuracies with intervals, the worst case over attacks, the curve, classes, and A against B.

One place counts, whether the trials come from the engine as it works or from the rows of a finished run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from capt_engine.metrics.calibration import Calibration
from capt_engine.metrics.corruption_table import Corrupted
from capt_engine.metrics.figures import Answers, figures
from capt_engine.metrics.interval import newcombe_paired, wilson
from capt_engine.metrics.mcnemar import mcnemar
from capt_engine.records import (
    NO_PROMPTS,
    AnalyzeResult,
    AttackSummary,
    ClassScore,
    Comparison,
    CorruptionTable,
    CurvePoint,
    Figure,
    MatrixCell,
    MinimalEps,
    OutOfDistribution,
    PairedTest,
    PictureRow,
    TextDrift,
    corruption_of,
)

SEARCHES = {"white-box": True, "black-box, sees scores": False, "black-box, sees answers only": False}
"""The knowledge of an attacker that searches, and True where the model's gradient is known."""

# What single precision can add to a length that was projected onto its budget.
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Trial:
    """One picture × attack × budget × prompts: what was right before and after; `attack` is "" where there was none.

    success: the attack turned a right answer into a wrong one, None where that question does not arise. aimed_at: on whom the attack
    was computed, "" for the prompts themselves. skipped: why the attack was not run. png: does a success survive 8 bits.
    norm: "" for an attack whose budget is no ball. frozen_pred: the clean answer of the frozen zero-shot model, "" where nobody asked it.
    out_of_distribution: does the picture look like nothing the model was trained on, None where that was not judged.
    """

    path: str
    label: str
    clean_pred: str
    prompts: str
    attack: str = ""
    eps: float = 0.0
    adv_pred: str = ""
    success: bool | None = None
    seconds: float = 0.0
    metrics: tuple[tuple[str, float], ...] = ()
    aimed_at: str = ""
    skipped: str = ""
    knowledge: str = ""
    norm: str = ""
    clean_conf: float | None = None
    adv_conf: float | None = None
    png: bool | None = None
    minimal_eps: float | None = None
    frozen_pred: str = ""
    out_of_distribution: bool | None = None

    @classmethod
    def of(cls, row: PictureRow) -> Trial:
        """Make a trial (one picture, attack, budget and set of prompts) from a row of a run, `row`."""
        attacked, best = row.attacked, row.clean.winner
        return cls(
            path=row.path,
            label=row.label,
            clean_pred=row.classes[best],
            prompts=row.prompt_id,
            attack=row.attacked_by,
            eps=row.threat.eps,
            adv_pred=row.classes[attacked.winner] if attacked is not None else "",
            success=row.success,
            seconds=row.time_s,
            metrics=row.metrics,
            aimed_at=row.aimed_at,
            skipped=row.skipped,
            knowledge=row.threat.knowledge if row.attack is not None else "",
            norm=row.threat.norm if not row.threat.budget else "",
            clean_conf=row.clean.probabilities[best],
            adv_conf=attacked.probabilities[attacked.winner] if attacked is not None else None,
            png=row.survives_png,
            minimal_eps=row.minimal_eps,
            frozen_pred=row.frozen,
            out_of_distribution=row.out_of_distribution,
        )


@dataclass
class Seen:
    """One picture under one set of prompts: right when clean, and still right under every attack, by (aimed at, budget).

    lost: by the same keys, the place in the run of the first attack under which it was wrong; nothing where it stayed right.
    gradients, others: right under every attack that follows gradients, or that does not, where it was computed on the model itself.
    frozen: did the frozen zero-shot model have it right when clean; out_of_distribution: is it unlike the training pictures; None where
    that is not known.
    """

    label: str
    clean: bool
    frozen: bool | None = None
    robust: dict[tuple[str, float], bool] = field(default_factory=dict)
    lost: dict[tuple[str, float], int] = field(default_factory=dict)
    gradients: dict[float, bool] = field(default_factory=dict)
    others: dict[float, bool] = field(default_factory=dict)
    minimal_eps: float | None = None
    out_of_distribution: bool | None = None


@dataclass
class Fared:
    """One attack at one budget: still right, flips, open to flip, flips that were saved as PNG, those that survived it, time, left out.

    place: how many other attacks the run had before it, of the same aim and budget.
    """

    n: int = 0
    kept: int = 0
    flips: int = 0
    open_to_flip: int = 0
    saved: int = 0
    png: int = 0
    seconds: float = 0.0
    skipped: int = 0
    place: int = 0


Pairing = tuple[str, str]  # the prompts that answered, and those the attack was computed on


class Tally:
    """Counts trials; memory grows by a few numbers a picture.

    Several corruptions are counted in tables of their own: nobody attacked, so that there is no robust accuracy of them. drifts: what no
    trial tells, how far the prompts have moved the text features.
    """

    def __init__(self, trials: Iterable[Trial] = (), drifts: Iterable[TextDrift] = ()) -> None:
        self.drifts = {one.prompts: (one.value, one.classes) for one in drifts}
        self.pictures: dict[str, dict[str, Seen]] = {}
        self.attacks: dict[tuple[Pairing, float, str], Fared] = {}
        self.within = self.beyond = 0
        self.furthest = 0.0
        self.zero_seen = self.zero_changed = 0
        self.skipped = 0
        self.carried = False
        self._sums: dict[Pairing, dict[str, tuple[float, int]]] = {}
        self._clean: dict[str, Calibration] = {}
        self._attacked: dict[tuple[Pairing, float], Calibration] = {}
        self._corrupted: dict[str, Corrupted] = {}
        self._first = ""
        for trial in trials:
            self.add(trial)

    def add(self, trial: Trial) -> None:
        """Count one trial: the answer to one picture under one set of prompts, and one attack at one budget or none."""
        mine = self.pictures.setdefault(trial.prompts, {})
        picture = mine.get(trial.path)
        if picture is None:
            frozen = trial.frozen_pred == trial.label if trial.frozen_pred else None
            picture = mine[trial.path] = Seen(trial.label, trial.clean_pred == trial.label, frozen)
            if trial.clean_conf is not None:
                self._clean.setdefault(trial.prompts, Calibration()).add(trial.clean_conf, right=picture.clean)
        if trial.minimal_eps is not None:
            picture.minimal_eps = trial.minimal_eps
        if trial.out_of_distribution is not None:
            picture.out_of_distribution = trial.out_of_distribution
        if not trial.attack:
            return
        if (cell := corruption_of(trial.attack)) is not None:
            table = self._corrupted.setdefault(trial.prompts, Corrupted())
            table.add(trial.path, cell, right=trial.adv_pred == trial.label)
            return
        self._first = self._first or trial.attack
        aim = (trial.prompts, trial.aimed_at or trial.prompts)
        fared = self._fared(aim, trial)
        key = (aim[1], trial.eps)
        kept = trial.adv_pred == trial.label
        if trial.skipped:
            kept = self._left_out(picture, key, trial)
        else:
            picture.robust[key] = picture.robust.get(key, True) and kept
        if not kept:
            picture.lost[key] = min(picture.lost.get(key, fared.place), fared.place)
        if trial.skipped:
            fared.skipped += 1
            return
        # Only attacks of one ball can be held against each other; a turned or foggy picture lies in none.
        if aim[0] == aim[1] and trial.norm and trial.knowledge in SEARCHES:
            side = picture.gradients if SEARCHES[trial.knowledge] else picture.others
            side[trial.eps] = side.get(trial.eps, True) and kept
        fared.n += 1
        fared.kept += kept
        fared.flips += bool(trial.success)
        fared.open_to_flip += trial.success is not None
        fared.saved += bool(trial.success) and trial.png is not None
        fared.png += bool(trial.success) and bool(trial.png)
        fared.seconds += trial.seconds
        self._measured(aim, trial, kept=kept)

    def _fared(self, aim: Pairing, trial: Trial) -> Fared:
        key = (aim, trial.eps, trial.attack)
        if key not in self.attacks:
            self.attacks[key] = Fared(place=sum(one[:2] == key[:2] for one in self.attacks))
        return self.attacks[key]

    def _left_out(self, picture: Seen, key: tuple[str, float], trial: Trial) -> bool:
        """Count a picture that an attack was not run on, and return True if it still stands as right."""
        self.skipped += 1
        # At a smaller budget: what broke it there lies in this ball too. Else its answer stands as it was.
        at_smaller = trial.skipped.startswith("broken at")
        self.carried = self.carried or at_smaller
        return picture.robust.setdefault(key, picture.clean and not at_smaller)

    def _measured(self, aim: Pairing, trial: Trial, *, kept: bool) -> None:
        sums = self._sums.setdefault(aim, {})
        for name, value in trial.metrics:
            total, count = sums.get(name, (0.0, 0))
            sums[name] = (total + value, count + 1)
        if trial.attack == self._first and trial.adv_conf is not None:
            self._attacked.setdefault((aim, trial.eps), Calibration()).add(trial.adv_conf, right=kept)
        if trial.norm:
            length = dict(trial.metrics).get(trial.norm)
            if length is not None:
                self.within += 1
                self.furthest = max(self.furthest, length / trial.eps if trial.eps else length)
                slack = _TOLERANCE * (trial.norm != "linf") + 1e-7
                self.beyond += length > trial.eps * (1 + _TOLERANCE) + slack
            if trial.eps == 0:
                self.zero_seen += 1
                # Rows of one picture may come from batches of different sizes, which moves the last bits.
                moved = abs((trial.adv_conf or 0.0) - (trial.clean_conf or 0.0)) > 1e-4
                self.zero_changed += trial.adv_pred != trial.clean_pred or moved

    def budgets(self, prompts: str) -> tuple[float, ...]:
        """Return the budgets that were tried on `prompts` (the id of a set of prompts), in pixel units, smallest first."""
        return tuple(sorted({eps for (of, _), eps, _ in self.attacks if of == prompts}))

    def aims(self, prompts: str) -> tuple[str, ...]:
        """Return the ids of the prompts or models that attacks on `prompts` (an id) were computed on, in order of use."""
        return tuple(dict.fromkeys(on for (of, on), _, _ in self.attacks if of == prompts))

    def aim(self, prompts: str) -> str:
        """Return the id of the source whose attacks count for `prompts` (an id).

        It is `prompts` if attacks were computed on these prompts, or if there were none; else the first source (see
        `aims`).
        """
        aims = self.aims(prompts)
        return prompts if prompts in aims or not aims else aims[0]

    def clean(self, prompts: str) -> tuple[int, int]:
        """Return how many clean pictures `prompts` (an id) had right, and out of how many; raise KeyError if unknown."""
        seen = self.pictures[prompts].values()
        return sum(one.clean for one in seen), len(seen)

    def robust(self, prompts: str, eps: float, aimed_at: str | None = None) -> tuple[int, int]:
        """Return how many pictures `prompts` (an id) had right under every attack at the budget `eps`, and out of how many.

        eps: in pixel units of [0, 1] (4/255 is 0.0157), as in the rows. aimed_at: the id of the prompts or model that
        the attacks were computed on; None means `prompts` themselves, where attacks were computed on these or on
        nothing, and else the first source in order of use. Raises KeyError for unknown prompts.
        """
        key = (self.aim(prompts) if aimed_at is None else aimed_at, eps)
        known = [one.robust[key] for one in self.pictures[prompts].values() if key in one.robust]
        return sum(known), len(known)

    def cumulative(self, prompts: str, eps: float, aimed_at: str | None = None) -> dict[str, tuple[int, int]]:
        """Return for each attack how many pictures `prompts` (an id) had right under it and all before it, and out of how many.

        All pictures count that were shown attacks at the budget `eps`, also those that an attack was not run on because
        they had been lost before; so the last of the figures is that of `robust`. `aimed_at` as there. Raises KeyError
        for unknown prompts.
        """
        aim = self.aim(prompts) if aimed_at is None else aimed_at
        known = [one for one in self.pictures[prompts].values() if (aim, eps) in one.robust]
        fallen = Counter(one.lost.get((aim, eps)) for one in known)
        left, found = len(known), {}
        for (pairing, at, attack), one in self.attacks.items():
            if (pairing, at) == ((prompts, aim), eps):
                left -= fallen[one.place]
                found[attack] = (left, len(known))
        return found

    def out_of_distribution(self, prompts: str) -> OutOfDistribution | None:
        """Count the pictures shown to `prompts` (an id) that are out of distribution; None where none was judged."""
        seen = (one.out_of_distribution for one in self.pictures.get(prompts, {}).values())
        judged = [one for one in seen if one is not None]
        return OutOfDistribution(sum(judged), len(judged)) if judged else None

    def headline(self, prompts: str, wanted: float) -> float | None:
        """Return the budget to report for `prompts` (an id): `wanted` if it was tried, else the largest; None if none was."""
        budgets = self.budgets(prompts)
        return (wanted if wanted in budgets else budgets[-1]) if budgets else None

    def scored(self, blank: AnalyzeResult, compared: str | None = None) -> AnalyzeResult:
        """Return a copy of `blank`, a result without numbers, with all that can be counted for its prompts filled in.

        If `compared` is the id of other prompts that were counted, their result and the paired tests are added; an
        unknown id or None adds nothing.
        """
        self.drifts |= {one.prompts: (one.value, one.classes) for one in blank.text_drift}
        eps = self.headline(blank.prompts, blank.threat_model.eps)
        result = replace(self._alone(blank), matrix=self.matrix(eps or 0.0), corruptions=self.corruptions())
        if compared is None or compared not in self.pictures:
            return result
        other = self._alone(replace(blank, prompts=compared))
        labelled = blank.label_source != "model"
        clean = self._paired(blank.prompts, compared, None) if labelled else None
        robust = None if eps is None else self._paired(blank.prompts, compared, eps)
        return replace(result, compared=Comparison(other, clean, robust))

    def _alone(self, blank: AnalyzeResult) -> AnalyzeResult:
        prompts, pictures = blank.prompts, list(self.pictures.get(blank.prompts, {}).values())
        n, aim = len(pictures), (blank.prompts, self.aim(blank.prompts))
        eps = self.headline(prompts, blank.threat_model.eps)
        if not n:
            return replace(blank, n=0)
        clean = sum(picture.clean for picture in pictures)
        key = None if eps is None else (aim[1], eps)
        result = replace(
            blank,
            n=n,
            clean_accuracy=clean / n,
            clean_interval=wilson(clean, n),
            consistency=tuple((name, total / count) for name, (total, count) in self._sums.get(aim, {}).items()),
            per_class=_per_class(pictures, key),
            out_of_distribution=self.out_of_distribution(prompts),
            figures=self.figures(prompts, eps, is_labelled=blank.label_source != "model"),
        )
        if eps is None:
            return result
        kept, of = self.robust(prompts, eps)
        counted = [(budget, *self.robust(prompts, budget)) for budget in self.budgets(prompts)]
        curve = tuple(CurvePoint(budget, right / m, *wilson(right, m)) for budget, right, m in counted if m)
        return replace(
            result,
            robust_accuracy=kept / of,
            robust_interval=wilson(kept, of),
            attacks=tuple(
                _summary(name, self.attacks[aim, eps, name], left / of)
                for name, (left, of) in self.cumulative(prompts, eps).items()
            ),
            curve=curve if len(curve) > 1 else (),
            minimal_eps=self.smallest(prompts, blank.minimal_eps.tolerance if blank.minimal_eps else 0.0),
        )

    def figures(self, prompts: str, eps: float | None, *, is_labelled: bool = True) -> tuple[Figure, ...]:
        """Compute the figures of `prompts` (an id) at the budget `eps`; for None only those that need no attack.

        `is_labelled` is False where the labels are the model's own answers; the figures against zero-shot are then left
        out, as such labels cannot tell what the model has forgotten. Raises KeyError for unknown prompts.
        """
        aim = (prompts, self.aim(prompts))
        key = None if eps is None else (aim[1], eps)
        pictures = self.pictures[prompts].values()
        answers = Answers(
            [(one.label, one.clean, None if key is None else one.robust.get(key)) for one in pictures],
            self._clean.get(prompts, Calibration()),
            Calibration() if eps is None else self._attacked.get((aim, eps), Calibration()),
            self._against(prompts) if is_labelled else (),
            self.drifts.get(prompts),
        )
        return figures(answers)

    def _against(self, prompts: str) -> list[tuple[bool, bool]]:
        """(zero-shot right, these right) when clean, of each picture that both are known of; nothing for zero-shot itself."""
        if prompts == NO_PROMPTS:
            return []
        plain = self.pictures.get(NO_PROMPTS, {})
        # Older rows do not tell the frozen model's answer, nor do those of corruptions; beside plain text it is known all the same.
        known = (
            (plain[path].clean if path in plain else one.frozen, one) for path, one in self.pictures[prompts].items()
        )
        return [(before, one.clean) for before, one in known if before is not None]

    def matrix(self, eps: float) -> tuple[MatrixCell, ...]:
        """Return the transfer matrix at the budget `eps`: how many pictures each set of prompts has right, for each source.

        A source is the prompts or the model that attacks were computed on. The cells of clean pictures come first. The
        matrix is empty if no set of prompts was shown attacks of more than one source.
        """
        if all(len(self.aims(prompts)) < 2 for prompts in self.pictures):
            return ()
        cells = [MatrixCell("", prompts, 0.0, *self.clean(prompts)) for prompts in self.pictures]
        aims = dict.fromkeys(on for (_, on), _, _ in self.attacks)
        cells += [
            MatrixCell(on, prompts, eps, *self.robust(prompts, eps, on)) for on in aims for prompts in self.pictures
        ]
        return tuple(cells)

    @property
    def is_corrupted(self) -> bool:
        """Return True if pictures were shown under common corruptions that are counted in a table of their own."""
        return bool(self._corrupted)

    def corruptions(self) -> tuple[CorruptionTable, ...]:
        """Return one table, corruption by severity, for each set of prompts that was shown common corruptions."""
        return tuple(table.table(prompts, self.clean(prompts)[0]) for prompts, table in self._corrupted.items())

    def smallest(self, prompts: str, tolerance: float) -> MinimalEps | None:
        """Return the quartiles of the smallest budgets that fool `prompts` (an id), over pictures that were right when clean.

        `tolerance` is the relative accuracy of the search, noted in the result. Returns None where no picture was
        searched; raises KeyError for unknown prompts.
        """
        seen = self.pictures[prompts].values()
        found = sorted(one.minimal_eps for one in seen if one.clean and one.minimal_eps is not None)
        if not found:
            return None

        def quartile(share: float) -> float | None:
            value = found[max(0, math.ceil(share * len(found)) - 1)]
            return None if math.isinf(value) else value

        unbroken = sum(math.isinf(value) for value in found)
        return MinimalEps(len(found), unbroken, quartile(0.25), quartile(0.5), quartile(0.75), tolerance)

    def _paired(self, a: str, b: str, eps: float | None) -> PairedTest | None:
        """A against B on the pictures that both were asked about; eps None: when clean."""

        def right(prompts: str, picture: Seen) -> bool | None:
            return picture.clean if eps is None else picture.robust.get((self.aim(prompts), eps))

        first, second = self.pictures[a], self.pictures[b]
        pairs = [(right(a, first[key]), right(b, second[key])) for key in first if key in second]
        known = [(x, y) for x, y in pairs if x is not None and y is not None]
        return paired(known) if known else None


def _summary(name: str, one: Fared, cumulative: float) -> AttackSummary:
    accuracy = one.kept / one.n if one.n else 0.0
    success = one.flips / one.open_to_flip if one.open_to_flip else 0.0
    return AttackSummary(name, accuracy, cumulative, success, one.seconds, one.n, one.skipped)


def _per_class(pictures: list[Seen], key: tuple[str, float] | None) -> tuple[ClassScore, ...]:
    by_class: dict[str, list[Seen]] = {}
    for picture in pictures:
        by_class.setdefault(picture.label, []).append(picture)
    return tuple(
        ClassScore(
            name,
            len(some),
            sum(picture.clean for picture in some),
            None if key is None else sum(picture.robust.get(key, False) for picture in some),
        )
        for name, some in sorted(by_class.items())
    )


def paired(answers: Iterable[tuple[bool, bool]]) -> PairedTest:
    """Make McNemar's exact test from `answers`, a pair (A was right, B was right) a picture; raise ValueError for none."""
    counts = Counter(answers)
    both, only_a, only_b, neither = (counts[a, b] for a in (True, False) for b in (True, False))
    n = counts.total()
    low, high = newcombe_paired(both, only_a, only_b, neither)
    return PairedTest(only_a, only_b, n, (only_b - only_a) / n, low, high, mcnemar(only_a, only_b))
