"""What an acting engine would say while it evaluates: rows of a few pictures, and the result that counts the same."""

from __future__ import annotations

from dataclasses import replace

from acted_tuning import wilson

from capt_engine import records as r

CLASSES = ("cat", "dog", "emu")
FGSM, PGD = r.AttackSpec("fgsm"), r.AttackSpec("pgd")
EPS = 4 / 255
THREAT = r.ThreatModel(eps=EPS)
CHECKS = (
    r.Check("noise-weaker", "Noise is weaker", "pass", 0.3, "30 points", "Random noise breaks fewer."),
    r.Check("survives-png", "Attacks survive saving", "fail", 0.5, "1 of 2", "At least 90 % must."),
    r.Check("doubled-steps", "Longer attacks", "not_run", None, "–", "It was not asked for."),
)


def verdict(winner: int) -> r.Verdict:
    """An answer for one of the three classes."""
    shares = tuple(0.8 if number == winner else 0.1 for number in range(len(CLASSES)))
    return r.Verdict(shares, shares)


def row(
    path: str, label: int, clean: int, attacked: int | None = None, *, attack: r.AttackSpec | None = PGD, **more: object
) -> r.PictureRow:
    """One row; `attacked` None with an attack means that it was not run."""
    success = None if attacked is None or clean != label else attacked != label
    made = r.PictureRow(
        path, "", 40, 30, CLASSES[label], "folder", CLASSES, verdict(clean), None if attacked is None else verdict(attacked),
        attack, 10, 1, THREAT, 0, success, (), success or None, (not success) if success else None, 0.1, "demo", r.NO_PROMPTS,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def quick() -> tuple[r.PictureRow | r.FailedPicture, ...]:
    """A quick look at four pictures: one wrong before, one broken by FGSM, one by PGD, one holds; a fifth cannot be read."""
    return (
        row("/a.png", 0, 1, attack=FGSM, skipped="wrong before"),
        row("/a.png", 0, 1, attack=PGD, skipped="wrong before"),
        row("/b.png", 0, 0, 2, attack=FGSM, survives_jpeg95=True),
        row("/b.png", 0, 0, attack=PGD, skipped="broken by fgsm"),
        row("/c.png", 1, 1, 1, attack=FGSM),
        row("/c.png", 1, 1, 0, attack=PGD, survives_png=False),
        row("/d.png", 2, 2, 2, attack=FGSM),
        row("/d.png", 2, 2, 2, attack=PGD),
        r.FailedPicture("/e.png", "The file is empty.", "Fetch it again."),
    )


def result(*, prompts: str = r.NO_PROMPTS, robust: int = 1) -> r.AnalyzeResult:
    """What the engine counts of `quick`."""
    return r.AnalyzeResult(
        4, 1, "folder", 0.75, wilson(3, 4), robust / 4, wilson(robust, 4),
        (r.AttackSummary("fgsm", 2 / 3, 0.5, 1 / 3, 0.3, 3, 1), r.AttackSummary("pgd", 0.5, robust / 4, 0.5, 0.9, 2, 2)),
        (), THREAT, "demo", prompts, "cpu", 3.0, 1.3, suite="quick", classes=3, checks=CHECKS,
        per_class=(r.ClassScore("cat", 2, 1, 0), r.ClassScore("dog", 1, 1, 0), r.ClassScore("emu", 1, 1, 1)),
    )  # fmt: skip


def compared() -> r.AnalyzeResult:
    """The same, with B beside it, which holds three."""
    test = r.PairedTest(0, 2, 4, 0.5, 0.1, 0.8, 0.031)
    return replace(result(), compared=r.Comparison(result(prompts="toy-capt", robust=3), None, test))


def curve() -> r.AnalyzeResult:
    """The same, with accuracy at four budgets."""
    points = ((0.0, 3), (EPS / 2, 2), (EPS, 1), (0.5, 0))
    return replace(result(), curve=tuple(r.CurvePoint(eps, k / 4, *wilson(k, 4)) for eps, k in points))


def corruptions() -> r.AnalyzeResult:
    """Two kinds at two severities for one set of prompts."""
    cells = tuple(
        r.CorruptionCell(kind, severity, kept, 4)
        for kind, severity, kept in (("fog", 1, 3), ("fog", 2, 2), ("jpeg", 1, 3), ("jpeg", 2, 1))
    )
    kinds = (r.CorruptionMean("fog", 0.625, None, None), r.CorruptionMean("jpeg", 0.5, 0.2, 0.8))
    table = r.CorruptionTable(r.NO_PROMPTS, 4, 3, cells, kinds, r.CorruptionMean("", 0.5625, 0.3, 0.8), 1)
    clean = replace(result(), robust_accuracy=None, robust_interval=None, attacks=(), suite="corruptions")
    return replace(clean, corruptions=(table,))
