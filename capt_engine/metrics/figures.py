"""Figures of a whole run, one line each: the accuracy family with its denominators, and calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, harmonic_mean

from capt_engine.metrics.calibration import Calibration
from capt_engine.records import Figure
from capt_engine.registry import Table


@dataclass(frozen=True)
class Answers:
    """The answers that a run's figures are made of: (label, right when clean, right under the worst attack or None), and confidences.

    against: of tuned prompts, (frozen zero-shot right, these right) a clean picture where both are known. drift: how far the prompts have
    moved the text features, and of how many classes.
    """

    pictures: Sequence[tuple[str, bool, bool | None]]
    clean: Calibration
    attacked: Calibration
    against: Sequence[tuple[bool, bool]] = ()
    drift: tuple[float, int] | None = None

    def of_classes(self, column: int) -> list[float]:
        """Return the accuracy of each class, in order of first appearance: clean with `column` 1, robust with 2.

        Only pictures whose answer is known count; a class without any is left out.
        """
        by_class: dict[str, list[bool]] = {}
        for one in self.pictures:
            right = one[column]
            if right is not None:
                by_class.setdefault(one[0], []).append(bool(right))
        return [sum(some) / len(some) for some in by_class.values()]


Measured = tuple[float, int] | None


@dataclass(frozen=True)
class FigureInfo:
    """A named figure: `measure` gives its value and of how many pictures it speaks, None where it is undefined.

    unit: "%" for a share and "points" for a difference of two, both kept in [0, 1] and [−1, 1]; "" for a number as it is.
    """

    name: str
    label: str
    measure: Callable[[Answers], Measured]
    help: str
    low: float | None = 0.0
    high: float | None = 1.0
    higher_is_better: bool | None = True
    unit: str = "%"


def figures(answers: Answers) -> tuple[Figure, ...]:
    """Compute the figures of the table FIGURES from `answers`, in its order; undefined ones are left out."""
    found = ((info.name, info.measure(answers)) for info in FIGURES)
    # The order of the pictures, which differs between a run and its shards, moves the last bits of a sum.
    return tuple(Figure(name, round(value[0], 12), value[1]) for name, value in found if value is not None)


def _attacked(answers: Answers) -> list[tuple[bool, bool]]:
    return [(clean, robust) for _, clean, robust in answers.pictures if robust is not None]


def _mean_of(values: Sequence[int]) -> Measured:
    return (sum(values) / len(values), len(values)) if values else None


def _clean(answers: Answers) -> Measured:
    return _mean_of([clean for _, clean, _ in answers.pictures])


def _robust(answers: Answers) -> Measured:
    return _mean_of([robust for _, robust in _attacked(answers)])


def _success(answers: Answers) -> Measured:
    return _mean_of([not robust for clean, robust in _attacked(answers) if clean])


def _gap(answers: Answers) -> Measured:
    return _mean_of([clean - robust for clean, robust in _attacked(answers)])


def _ratio(answers: Answers) -> Measured:
    known = _attacked(answers)
    clean = sum(one for one, _ in known)
    return (sum(robust for _, robust in known) / clean, len(known)) if clean else None


def _both(answers: Answers) -> Measured:
    known = _attacked(answers)
    if not known:
        return None
    shares = [sum(one[i] for one in known) / len(known) for i in (0, 1)]
    return harmonic_mean(shares), len(known)


def _classes(column: int, of: Callable[[list[float]], float]) -> Callable[[Answers], Measured]:
    def measure(answers: Answers) -> Measured:
        shares = answers.of_classes(column)
        return (of(shares), sum(one[column] is not None for one in answers.pictures)) if shares else None

    return measure


def _error(calibration: Callable[[Answers], Calibration]) -> Callable[[Answers], Measured]:
    def measure(answers: Answers) -> Measured:
        one = calibration(answers)
        return (one.error, one.n) if one.n else None

    return measure


def _sure_and_wrong(answers: Answers) -> Measured:
    one = answers.attacked
    return (one.wrong / one.n_wrong, one.n_wrong) if one.n_wrong else None


def _change(answers: Answers) -> Measured:
    return _mean_of([now - before for before, now in answers.against])


def _turned(*, was_right: bool) -> Callable[[Answers], Measured]:
    def measure(answers: Answers) -> Measured:
        return _mean_of([now != was_right for before, now in answers.against if before == was_right])

    return measure


# A figure of which less is better.
_lower = partial(FigureInfo, higher_is_better=False)

FIGURES: Table[FigureInfo] = Table(
    "figure",
    FigureInfo("clean_accuracy", "Clean accuracy", _clean, "The share of all pictures that is right when clean."),
    FigureInfo(
        "robust_accuracy",
        "Robust accuracy",
        _robust,
        "The share of all pictures that is right under every attack of the budget.",
    ),
    _lower(
        "attack_success",
        "Attack success rate",
        _success,
        "Of the pictures that were right when clean, the share that some attack made wrong.",
    ),
    _lower(
        "accuracy_gap",
        "Accuracy lost",
        _gap,
        "Clean minus robust accuracy, on the same pictures.",
        low=-1.0,
        unit="points",
    ),
    FigureInfo(
        "robust_ratio",
        "Accuracy kept",
        _ratio,
        "Robust divided by clean accuracy: what share of its ability a model keeps.",
        high=None,
        unit="",
    ),
    FigureInfo(
        "harmonic_clean_robust",
        "Harmonic mean of clean and robust",
        _both,
        "Of clean and robust accuracy; near the smaller of the two. HM2 and HM4 of the protocol tables are over base and new.",
    ),
    FigureInfo(
        "balanced_clean", "Balanced accuracy, clean", _classes(1, fmean), "The mean of the classes' accuracies."
    ),
    FigureInfo(
        "balanced_robust",
        "Balanced accuracy, robust",
        _classes(2, fmean),
        "The mean of the classes' robust accuracies.",
    ),
    FigureInfo("worst_class_clean", "Worst class, clean", _classes(1, min), "The accuracy of the weakest class."),
    FigureInfo(
        "worst_class_robust", "Worst class, robust", _classes(2, min), "The robust accuracy of the weakest class."
    ),
    _lower(
        "ece_clean",
        "ECE, clean",
        _error(lambda answers: answers.clean),
        "How far confidence and accuracy lie apart, in 15 bins of equal width, on clean pictures.",
    ),
    _lower(
        "ece_attacked",
        "ECE, attacked",
        _error(lambda answers: answers.attacked),
        "The same on the pictures that the first attack was run on.",
    ),
    _lower(
        "confidence_when_fooled",
        "Confidence when fooled",
        _sure_and_wrong,
        "The mean confidence of wrong answers to the first attack's pictures.",
    ),
    FigureInfo(
        "zero_shot_change",
        "Change against zero-shot",
        _change,
        "Clean accuracy minus that of the same model asked in the plain sentence, on the same pictures.",
        low=-1.0,
        unit="points",
    ),
    _lower(
        "forgotten",
        "Forgotten",
        _turned(was_right=True),
        "Of the clean pictures that zero-shot had right, the share that the prompts have wrong.",
    ),
    FigureInfo(
        "gained",
        "Gained",
        _turned(was_right=False),
        "Of the clean pictures that zero-shot had wrong, the share that the prompts have right.",
    ),
    FigureInfo(
        "text_drift",
        "Text drift",
        lambda answers: answers.drift,
        "How far the prompts have moved the class texts from the plain sentence: the mean of 1 − cosine; its n counts classes.",
        high=2.0,
        higher_is_better=None,
        unit="",
    ),
)
