"""What the acting engine answers about tuning: curves of a believable shape, drawn from the request alone."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from capt_engine import records as r

CLASSES = ("heart", "star", "mug", "donut", "cone", "cube")
METHODS = (
    r.MethodInfo("capt", "CAPT", "Learns prompts in both towers, and keeps them close to what the model knew.", False),
    r.MethodInfo("fap", "FAP", "Few-shot adversarial prompts: the same prompts under another loss.", True),
    r.MethodInfo("apt", "APT", "Adversarial prompt tuning: words only.", True, (("lr", 0.002),)),
)
PRESETS = (
    r.PresetInfo("quick", "Quick", "A first impression, in minutes on a CPU.", (("epochs", 3), ("attack_steps", 2))),
    r.PresetInfo("balanced", "Balanced", "What to take when in doubt.", (("epochs", 10), ("attack_steps", 3))),
    r.PresetInfo("paper", "Paper", "The published settings, as far as they are published.", (("epochs", 50),)),
)
TUNING = (
    r.ParamInfo(
        "eps", "Training budget ε", "float", 1 / 255, 0.0, 16 / 255, "/255", help="How far a picture is moved."
    ),
    r.ParamInfo("attack_steps", "Attack steps", "int", 3, 1, 100, help="More steps train against a stronger attacker."),
    r.ParamInfo("lambda_", "λ", "float", 2.5, 0.0, 100.0, help="How much consistency counts beside being right."),
    r.ParamInfo(
        "alpha",
        "α",
        "choice",
        "label_prob",
        choices=("label_prob", "batch", "const"),
        help="Whom to be consistent with.",
    ),
    r.ParamInfo("epochs", "Epochs", "int", 10, 1, 1000, help="How often every picture is seen."),
    r.ParamInfo("lr", "Learning rate", "float", 0.0035, 0.0, 1.0, help="How far each step goes."),
)
N_VAL, N_TEST, STEPS = 60, 120, 24
CHECKS = (
    r.Check("eps-zero", "No budget, no effect", "pass", 0.0, "0 pictures", "At ε = 0 the attack changes no answer."),
    r.Check(
        "noise-weaker", "Noise is weaker", "pass", 0.31, "31 points", "Random noise of the same size breaks fewer."
    ),
    r.Check(
        "more-steps", "More steps find little more", "fail", 0.04, "4 points", "Ten times the steps break 4 % more."
    ),
    r.Check("second-attack", "Another attack agrees", "not_run", None, "not run", "Only one attack was asked for."),
)
COMMAND = "capt tune split.csv --out prompts.safetensors --model demo --method capt --shots all --epochs 3 --seed 0"


def share(value: float, n: int = N_VAL) -> r.Share:
    """About so much of n, with its Wilson interval."""
    k = min(max(round(value * n), 0), n)
    return r.Share(k, n, *wilson(k, n))


def wilson(k: int, n: int) -> tuple[float, float]:
    """The Wilson 95 % interval."""
    z = 1.96
    p, scale = k / n, 1 + z * z / n
    middle, reach = (p + z * z / (2 * n)) / scale, z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def forecast(request: r.TuneRequest) -> r.TuneForecast:
    """Some time for each epoch."""
    epochs = request.epochs or 10
    return r.TuneForecast(epochs * STEPS, epochs * 190.0, 640_000_000, 24_832, 8)


def news(request: r.TuneRequest) -> Iterator[tuple[r.TuneForecast | r.TuneStep | r.TuneEpoch | r.TuneStrip | str, ...]]:
    """All that is told of a run, one step after the other."""
    rng = random.Random(request.seed)
    epochs = request.epochs or 10
    yield (forecast(request), r.TuneEpoch(0, epochs, 0.0, share(0.72), share(0.12), False), strip(0, rng))
    for number in range(epochs * STEPS):
        epoch, far = number // STEPS + 1, (number + 1) / (epochs * STEPS)
        yield (step(epoch, number + 1, far, rng),)
        if (number + 1) % STEPS == 0:
            robust, clean = 0.12 + 0.42 * far + rng.gauss(0, 0.02), 0.72 + 0.14 * far + rng.gauss(0, 0.02)
            yield (r.TuneEpoch(epoch, epochs, 2.2 * (1 - far), share(clean), share(robust), True), strip(epoch, rng))
            if epoch == 2:
                yield (f"After epoch {epoch}: the batch was halved to 4, as memory ran out.",)


def step(epoch: int, number: int, far: float, rng: random.Random) -> r.TuneStep:
    """One step of a run that learns."""
    ce, train, reference = (start * math.exp(-2.2 * far) + abs(rng.gauss(0, 0.06)) + 0.1 for start in (1.6, 0.5, 0.9))
    alpha = 0.5 + 0.12 * far + rng.gauss(0, 0.02)
    lr = 0.0035 * 0.5 * (1 + math.cos(math.pi * far))
    return r.TuneStep(
        epoch, number, lr, ce + 2.5 * (train + reference) / 2, ce, train, reference, alpha, max(alpha - 0.22, 0), min(alpha + 0.2, 1),
        1.0, 0.0, 0.7, 0.4, alpha_counts=(0, 0, 1, 1, 2, 2, 1, 1, 0, 0),
    )  # fmt: skip


def strip(epoch: int, rng: random.Random) -> r.TuneStrip:
    """Eight drawn pictures; later epochs withstand more."""
    samples = []
    for number in range(8):
        label = CLASSES[number % len(CLASSES)]
        holds = rng.random() < 0.2 + 0.1 * epoch
        answer = label if holds else CLASSES[(number + 2) % len(CLASSES)]
        clean, attacked = drawn(label, number, 0), drawn(label, number, 7)
        samples.append(r.TuneSample(clean, attacked, label, label if number != 5 else CLASSES[0], answer))
    return r.TuneStrip(epoch, tuple(samples))


def drawn(label: str, seed: int, noise: int, side: int = 64) -> r.Picture:
    """A coloured shape, perhaps with noise."""
    rng = random.Random(f"{label} {seed}")
    image = QImage(side, side, QImage.Format.Format_RGB888)
    image.fill(QColor.fromHsv(rng.randrange(360), 40, 220))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor.fromHsv(rng.randrange(360), 200, 190))
    if CLASSES.index(label) % 2:
        painter.drawEllipse(QRectF(12, 12, side - 24, side - 24))
    else:
        painter.drawPolygon(QPolygonF([QPointF(32, 8), QPointF(56, 54), QPointF(8, 54)]))
    painter.end()
    lines = b"".join(bytes(image.constScanLine(y))[: side * 3] for y in range(side))
    moved = bytes(min(max(value + rng.choice((-noise, noise)), 0), 255) for value in lines) if noise else lines
    return r.Picture(side, side, moved)


def tuned(request: r.TuneRequest, epochs: int) -> r.TuneResult:
    """The end of a run; the file is there, as a file would be."""
    Path(request.out).parent.mkdir(parents=True, exist_ok=True)
    Path(request.out).write_bytes(b"prompts")
    return r.TuneResult(
        request.out, request.method, request.model, CLASSES, request.shots, 96, N_VAL, epochs, epochs, f"ran all {epochs} epochs",
        share(0.85), share(0.53), share(0.72), share(0.12), 12.0, 640_000_000, 24_832,
        r.PromptsInfo(request.out, "Tuned", "Tuned here.", request.model, request.method, CLASSES, "a {}."), command=COMMAND,
    )  # fmt: skip


def evaluated(request: r.EvaluateRequest, *, helped: bool = True) -> r.AnalyzeResult:
    """Before and after on the test share."""
    before, after = (14, 61) if helped else (14, 17)
    eps = request.options.threat
    a = _side(86, before, eps, request.options.model, r.NO_PROMPTS)
    b = _side(104 if helped else 88, after, eps, request.options.model, request.options.compare or "")
    if not helped:
        return replace(a, compared=r.Comparison(b, _test(9, 11), _test(6, 9)))
    return replace(a, compared=r.Comparison(b, _test(4, 22), _test(2, 49)))


def _side(clean: int, robust: int, threat: r.ThreatModel, model: str, prompts: str) -> r.AnalyzeResult:
    each = N_TEST // len(CLASSES)
    scores = tuple(
        r.ClassScore(name, each, min(each, clean // 6 + (i % 3) - 1), min(each, max(0, robust // 6 + (i % 4) - 1)))
        for i, name in enumerate(CLASSES)
    )
    return r.AnalyzeResult(
        N_TEST, 0, "given", clean / N_TEST, wilson(clean, N_TEST), robust / N_TEST, wilson(robust, N_TEST),
        (r.AttackSummary("pgd", robust / N_TEST, robust / N_TEST, 1 - robust / max(clean, 1), 3.0),),
        (), threat, model, prompts, "cpu", 3.0, 40.0,
        per_class=scores, checks=CHECKS if prompts == r.NO_PROMPTS else (),
    )  # fmt: skip


def _test(only_a: int, only_b: int) -> r.PairedTest:
    n, one = only_a + only_b, min(only_a, only_b)
    p = min(1.0, 2 * sum(math.comb(n, k) for k in range(one + 1)) / 2**n)
    difference = (only_b - only_a) / N_TEST
    return r.PairedTest(only_a, only_b, N_TEST, difference, difference - 0.08, difference + 0.08, p)
