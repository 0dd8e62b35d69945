"""Out of a result: class by class which share is right, and what was doubted, on one side or on two."""

from __future__ import annotations

from dataclasses import dataclass

from capt_engine.records import AnalyzeResult, Check


@dataclass(frozen=True)
class ClassRow:
    """One class: its pictures, and the share that is right, clean and robust, on side A and on side B; None where not measured."""

    name: str
    n: int
    clean_before: float
    clean_after: float | None
    robust_before: float | None
    robust_after: float | None


def class_rows(result: AnalyzeResult) -> tuple[ClassRow, ...]:
    """Return a row of clean and robust accuracy for each class that has pictures, in the order of the data set.

    Where A and B were compared, each row holds both, and classes that only A was asked about are left out.
    """
    other = result.compared.other if result.compared is not None else None
    after = {score.name: score for score in other.per_class} if other is not None else {}
    return tuple(
        ClassRow(
            score.name,
            score.n,
            score.clean_correct / score.n,
            after[score.name].clean_correct / score.n if other is not None else None,
            _share(score.robust_correct, score.n),
            _share(after[score.name].robust_correct, score.n) if other is not None else None,
        )
        for score in result.per_class
        if score.n and (other is None or score.name in after)
    )


def worse_checks(result: AnalyzeResult) -> tuple[Check, ...]:
    """Return the engine's checks of a result (for gradient masking, for example), merged where A and B were compared.

    Of a check made on both, B's is taken if it failed there, else A's; checks that failed on B alone stand last.
    """
    other = result.compared.other.checks if result.compared is not None else ()
    failed_there = {check.name: check for check in other if check.status == "fail"}
    ours = [failed_there.pop(check.name, check) for check in result.checks]
    return (*ours, *failed_there.values())


def _share(correct: int | None, n: int) -> float | None:
    return None if correct is None else correct / n
