"""A report with every kind of block, many scripts and the file names of an attacker, which the tests of the HTML page draw."""

from __future__ import annotations

import math
import random

from capt_engine.records import Bar, BarChart, ConfusionMatrix, LineChart, Picture, Series, SignedPicture
from capt_engine.reports.document import (
    Attachment,
    Column,
    Example,
    Facts,
    Grid,
    Light,
    Lights,
    Paragraph,
    Report,
    Section,
    Strip,
)

HOSTILE = (
    "<img src=x onerror=alert(1)>.png",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '=HYPERLINK("http://x")',
    "javascript:alert(1)",
    "</title></style></script><iframe src=http://x>",
    "a&lt;b&amp;c.png",
    "--><svg onload=alert(1)>",
    "photo\u202egnp.exe",
    "half\udc80byte.png",
    "bell\x07null\x00.png",
    "two\nlines.png",
    "]]><!--",
)
"""Names that would be markup, or turn or hide text, if they were believed."""

SCRIPTS = ("čáp.png", "зяблик.png", "σπίνος.png", "苍头燕雀.png", "חוחית.png", "حسون.png", "👩‍🔬 finch.png")

_CLASSES = ("cube", "sphere", "cylinder", "cone", "torus", "pyramid")


def picture(width: int, height: int, shift: int = 0) -> Picture:
    """A smooth picture."""
    rgb = bytearray()
    for y in range(height):
        for x in range(width):
            light = 0.5 + 0.5 * math.sin(x * 7 / width + shift) * math.cos(y * 5 / height)
            rgb += bytes((int(60 + 170 * light), int(90 + 90 * y / height), int(200 - 120 * light)))
    return Picture(width, height, bytes(rgb))


def change(width: int, height: int) -> SignedPicture:
    """A perturbation as PGD makes it: mostly at the edge of the budget."""
    rngs = random.Random(7)
    values = bytes(rngs.choice((-127, -127, -40, 0, 127, 127)) & 255 for _ in range(width * height * 3))
    return SignedPicture(width, height, 4 / 255, values)


def grid(rows: int) -> Grid:
    """Per picture: names of every kind, numbers, answers."""
    rngs = random.Random(11)
    names = (*HOSTILE, *SCRIPTS)
    made = []
    for number in range(rows):
        label, said = rngs.choice(_CLASSES), rngs.choice(_CLASSES)
        name = names[number] if number < len(names) else f"test/{label}/scene_{number:05d}.png"
        share, margin, linf = (
            f"{rngs.random() * 100:.1f} %",
            f"{rngs.uniform(-3, 3):.3f}",
            f"{rngs.random() * 0.0157:.4f}",
        )
        made.append((name, label, label, share, said, margin.replace("-", "−"), linf, "yes" if label != said else "no"))
    columns = (
        Column("File"),
        Column("Label"),
        Column("Clean answer"),
        Column("Confidence", "right", "number"),
        Column("Attacked answer"),
        Column("Margin", "right", "number"),
        Column("L∞", "right", "number"),
        Column("Broken"),
    )
    return Grid("Every picture, under the strongest attack", columns, tuple(made), total=rows)


def curve() -> LineChart:
    """Accuracy over the budget, for three models."""
    budgets = (0, 1, 2, 4, 6, 8, 12, 16)

    def series(name: str, start: float, fall: float) -> Series:
        values = [start * math.exp(-fall * eps) for eps in budgets]
        return Series(
            name,
            tuple((eps, y, max(y - 0.06, 0), min(y + 0.06, 1)) for eps, y in zip(budgets, values, strict=True)),
        )

    lines = (
        series("CAPT prompts", 0.86, 0.16),
        series("Zero-shot prompts", 0.9, 0.75),
        series("Random noise", 0.89, 0.01),
    )
    alt = "Accuracy falls as the budget grows: CAPT prompts from 86 % to 7 %, zero-shot prompts from 90 % to 0 %."
    return LineChart("Accuracy over the budget ε, with 95 % Wilson intervals", "ε in 1/255", "Accuracy", lines, alt)


def matrix(size: int) -> ConfusionMatrix:
    """Mostly right, with neighbours mistaken for one another."""
    rngs = random.Random(3)
    names = tuple(_CLASSES[k] if k < len(_CLASSES) else f"class {k}" for k in range(size))
    counts = tuple(
        tuple(rngs.randint(5, 14) if row == column else max(0, rngs.randint(-6, 5)) for column in range(size))
        for row in range(size)
    )
    return ConfusionMatrix("Attacked answers by label", names, counts, "Most pictures stay on the diagonal.")


def strip() -> Strip:
    """Pictures of several sizes, one without its perturbation."""
    return Strip(
        "The best, the worst and one drawn by seed",
        (
            Example(
                "cube/scene_00012.png",
                picture(160, 160),
                change(160, 160),
                picture(160, 160, 1),
                "cube 97 % → sphere 88 %. Broken at ε = 4/255.",
                "A cube, seen by the model as a sphere after the attack.",
            ),
            Example(HOSTILE[0], picture(32, 32), change(32, 32), picture(32, 32, 1), "kept its answer", HOSTILE[1]),
            Example(SCRIPTS[4], picture(96, 64), None, None, "Already wrong without an attack.", "A cylinder."),
        ),
    )


def sample(rows: int = 60) -> Report:
    """Every block at least once."""
    rngs = random.Random(5)
    bars = []
    for name in (*_CLASSES, HOSTILE[0], SCRIPTS[3]):
        value = rngs.random()
        bars.append(Bar(name, value, max(value - 0.13, 0), min(value + 0.12, 1)))
    lights = (
        Light("A budget of 0 changes nothing", "pass", "60 of 60", "Every answer is the clean one, bit for bit."),
        Light(
            "Noise is weaker than the attack",
            "pass",
            "41 % < 89 %",
            "Random noise of the same size keeps more answers.",
        ),
        Light(
            "Twice the steps change little",
            "fail",
            "3.3 points",
            "The attack had not converged: robust accuracy is an upper bound only.",
        ),
        Light("A black-box attack is no stronger", "not run", "", "Square was not asked for."),
    )
    per_class = Grid(
        "Per class",
        (
            Column("Class"),
            Column("n", "right", "number"),
            Column("Clean", "right", "number"),
            Column("Robust", "right", "number"),
        ),
        tuple((name, "10", f"{rngs.randint(70, 100)} %", f"{rngs.randint(0, 80)} %") for name in _CLASSES),
    )
    sections = (
        Section(
            "verdict",
            "Verdict",
            (
                Paragraph(
                    "At ε = 4/255 the CAPT prompts keep 45 % (33 to 58 %) of 60 pictures; zero-shot prompts keep 5 % (2 to 14 %).",
                    "lead",
                ),
                Paragraph("The attacks listed here are an upper bound on robustness. Others may break more.", "limit"),
                Facts(
                    (
                        ("Goal", "any wrong answer"),
                        ("Knowledge", "white-box, aimed at the prompts that answer"),
                        ("Budget", "L∞, ε = 4/255 (0.0157), at the model’s input size"),
                        ("Not covered", "patches, printed pictures, attacks on the text"),
                    )
                ),
            ),
        ),
        Section("checks", "Can the evaluation be trusted?", (Lights("2 of 3 checks passed, 1 was not run.", lights),)),
        Section(
            "curve",
            "Accuracy and budget",
            (Paragraph("How accuracy falls as the attacker is given more room."), curve()),
        ),
        Section(
            "classes",
            "Classes",
            (BarChart("Robust accuracy per class", tuple(bars), "Bars of eight classes."), per_class, matrix(6)),
        ),
        Section("examples", "Examples", (strip(),)),
        Section("pictures", "Every picture", (grid(rows),)),
        Section(
            "repeat",
            "How to repeat",
            (
                Facts(
                    (
                        ("Command", "capt evaluate pictures --prompts capt --attack pgd --eps 4/255 --seed 0"),
                        ("Weights", "f3" * 32),
                        ("Folder", "\n".join(HOSTILE)),
                    )
                ),
                Paragraph("Versions are in the manifest.", "note"),
            ),
        ),
    )
    return Report(
        "r-1f6e2c90",
        "How well do CAPT prompts withstand attacks?",
        "60 pictures of six shapes · ViT-B/32 · PGD, 20 steps",
        "2026-11-22T21:52:06+00:00",
        sections,
        (
            Attachment("manifest.json", b'{"seed": 0}\n', "Everything needed to do it again."),
            Attachment("rows.csv", b"path,label\r\n" + b"a.png,cube\r\n" * 900, "A line for each picture and attack."),
            Attachment(HOSTILE[1] + ".log", b"\x00\xff", HOSTILE[0]),
        ),
    )


def test_the_sample_holds_every_kind_of_block() -> None:
    """A block that is missing from the sample would go untested."""
    kinds = {type(block) for section in sample().sections for block in section.blocks}
    assert kinds == {Paragraph, Facts, Lights, Grid, LineChart, BarChart, ConfusionMatrix, Strip}
