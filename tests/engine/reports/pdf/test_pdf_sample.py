"""A report with every block, odd scripts and hostile names, for the tests of the PDF."""

from __future__ import annotations

import math
import random
from dataclasses import fields

from capt_engine.records import (
    Bar,
    BarChart,
    Bin,
    ConfusionMatrix,
    HeatMap,
    HeatRow,
    Histogram,
    LineChart,
    Picture,
    Series,
    SignedPicture,
)
from capt_engine.reports.document import (
    Attachment,
    Block,
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
    '=HYPERLINK("http://x";"y").png',
    "{nb} **bold** __line__ [a](1).png",
    "bell\x07null\x00tab\tescape\x1b[31m.png",
    "surrogate \udcff\ud83d.png",
    "turned \u202egnp.exe",
    "a" * 700 + ".png",
    "very/long/" + "folder_name-" * 40 + "/cat.png",
    "(paren\\slash)) ET Q BT.png",
    "猫の写真.png",
    "кошка, γάτα, Katze, çîğ.png",
    "قطة جميلة 12.png",
    "חתול (1).png",
    "emoji 🐈‍⬛🎉.png",
    "e\u0301\u0323 z\u0351\u036b\u0343.png",
    "two\nlines.png",
    "\uffff\U0010ffff.png",
    "",
    " ",
)


def gradient(size: int, seed: int) -> Picture:
    """A small picture of smooth colours."""
    draw = random.Random(seed)
    a, b, c = (draw.uniform(0.1, 0.5) for _ in range(3))
    rgb = bytes(
        int(127 + 120 * math.sin(k * x + (3 - k) * y * 0.1 * (channel + 1)))
        for y in range(size)
        for x in range(size)
        for channel, k in enumerate((a, b, c))
    )
    return Picture(size, size, rgb)


def noise(size: int, seed: int) -> SignedPicture:
    """A perturbation of random signs."""
    return SignedPicture(size, size, 4 / 255, random.Random(seed).randbytes(size * size * 3))


def curve(name: str, start: float, fall: float) -> Series:
    """Accuracy that falls with ε."""
    values = [(x, start * math.exp(-fall * x)) for x in (0, 0.5, 1, 2, 4, 8, 16)]
    return Series(name, tuple((x, y, max(y - 0.07, 0.0), min(y + 0.07, 1.0)) for x, y in values))


def long_grid(count: int) -> Grid:
    """One row a picture, numbers that are found nowhere else."""
    columns = (
        Column("Picture"),
        Column("Label"),
        Column("Answer"),
        Column("Confidence", "right", "number"),
        Column("L∞", "right", "number"),
    )
    rows = tuple(
        (f"folder/picture-{n:05d}.png", "cat", "dog" if n % 3 else "cat", f"{n * 7919 % 10000 / 100:.2f} %", f"{n}/255")
        for n in range(count)
    )
    return Grid(f"All {count:,} pictures", columns, rows)


def names_grid() -> Grid:
    """A row for each hostile name."""
    rows = tuple((name, f"{number}.{number}5 %") for number, name in enumerate(HOSTILE))
    return Grid("Names of files", (Column("Name"), Column("Accuracy", "right", "number")), rows)


CLASSES = (
    "red cube",
    "green pyramid",
    "blue sphere",
    "yellow donut",
    "purple heart",
    "a class with a name far too long to stand beside its row",
)


def confusion(names: tuple[str, ...]) -> ConfusionMatrix:
    """Mostly right answers, some neighbours taken for each other."""
    draw = random.Random(5)
    counts = tuple(
        tuple(
            draw.randint(20, 48) if row == column else draw.choice((0, 0, 0, 1, 3, 9)) for column in range(len(names))
        )
        for row in range(len(names))
    )
    return ConfusionMatrix(
        "Labels and answers under attack", names, counts, f"Confusion matrix of {len(names)} classes."
    )


def blocks() -> dict[str, tuple[Block, ...]]:
    """One section for each kind of block."""
    heat = HeatMap(
        "Right under each corruption, by severity",
        "Corruption",
        ("1", "2", "3", "4", "5"),
        (
            HeatRow("Gaussian noise", (1.0, 0.9, 0.55, 0.2, 0.0), "53.0 % (41.2 to 63.9)"),
            HeatRow(
                "A kind of weather with a name that is far too long for its column",
                (0.5, None, 0.3, 0.2, 0.1),
                "27.5 % (–)",
            ),
        ),
        "Two corruptions: the stronger, the fewer pictures are right.",
        "Mean (95 % interval)",
        "The fuller the colour, the more pictures are right.",
    )
    main = Grid(
        "Accuracy of both prompts",
        (
            Column("Prompts"),
            Column("Attack"),
            Column("Clean", "right", "number"),
            Column("Under attack", "right", "number"),
            Column("n", "right", "number"),
        ),
        (
            ("CAPT, 16 shots, seed 1", "PGD-20", "93.3 % (84.1 – 97.4)", "41.7 % (30.1 – 54.3)", "60"),
            ("a photo of a {class}.", "PGD-20", "95.0 % (86.3 – 98.3)", "3.3 % (0.9 – 11.4)", "60"),
        ),
    )
    lights = (
        Light("ε = 0 gives the clean accuracy back", "pass", "57 of 57 equal", ""),
        Light(
            "Random noise is weaker than the attack",
            "pass",
            "91.7 % against 41.7 %",
            "Noise of the same size turned 1 picture, the attack 31.",
        ),
        Light(
            "Twice the steps change less than one point",
            "fail",
            "41.7 % → 38.3 %",
            "The attack had not converged. The true robustness may be lower than this report says; repeat with more steps.",
        ),
        Light("A black-box attack is not stronger", "not run", "", "Switch on Square to run it."),
    )
    examples = tuple(
        Example(
            name,
            gradient(size, number),
            noise(size, number) if kept else None,
            gradient(size, number + 9) if kept else None,
            "Clean: red cube, 98.2 %. Under attack: blue sphere, 71.0 %. The largest change of a pixel is 4/255.",
            f"Example {number}: clean, perturbation and adversarial picture.",
        )
        for number, (name, size, kept) in enumerate(
            (("worst/red-cube.png", 32, True), ("random/猫.png", 224, True), ("best/only-clean.png", 48, False))
        )
    )
    return {
        "Verdict": (
            Paragraph(
                "At ε = 4/255 the CAPT prompts keep 41.7 % of 60 pictures (30.1 – 54.3 %); plain CLIP 3.3 % (0.9 – 11.4 %).",
                "lead",
            ),
            Paragraph(
                "The difference is 38.3 points, and McNemar's test gives p < 0.0001. Clean pictures make no difference."
            ),
            Lights("2 of 3 checks passed, 1 was not run.", lights),
        ),
        "Threat model": (
            Facts(
                (
                    ("Goal", "untargeted"),
                    ("Knowledge", "white box, adaptive on these prompts"),
                    ("Norm and budget", "L∞, ε = 4/255 at the model's own input size"),
                    ("Weights", "sha256 " + "0123456789abcdef" * 4),
                )
            ),
            Paragraph(
                "These figures are an upper bound on robustness under the attacks listed. Patches and physical changes are not covered. "
                * 2,
                "limit",
            ),
            Paragraph("Wilson intervals at 95 %.", "note"),
        ),
        "Results": (
            main,
            heat,
            LineChart(
                "Accuracy and size of the attack",
                "ε (/255)",
                "accuracy under attack",
                (
                    curve("CAPT, 16 shots, seed 1", 0.93, 0.2),
                    curve("a photo of a {class}.", 0.95, 0.9),
                    curve("random noise of the same size", 0.94, 0.01),
                ),
                "Accuracy falls as ε grows; CAPT falls more slowly than the hand-written prompt.",
            ),
        ),
        "Classes": (
            BarChart(
                "Accuracy under attack, by class",
                tuple(Bar(name, 0.1 + 0.14 * n, 0.05 + 0.12 * n, 0.2 + 0.15 * n) for n, name in enumerate(CLASSES)),
                "Accuracy by class, from 10 % to 80 %.",
            ),
            confusion(CLASSES),
            Histogram(
                "Share of pictures by α",
                "α",
                "Share of pictures",
                tuple(Bin(n / 5, (n + 1) / 5, 0.06 * n, 0.04 * n, 0.08 * n + 0.03) for n in range(5)),
                "Most pictures have a large α.",
            ),
        ),
        "Examples": (Strip("Worst, random by seed 7, and best", examples),),
        "Pictures": (long_grid(90), names_grid()),
    }


def sample() -> Report:
    """The whole report."""
    sections = tuple(Section(title.lower(), title, content) for title, content in blocks().items())
    files = (
        Attachment("manifest.json", b'{"seed": 7}\n', "Everything that is needed to do this run again"),
        Attachment(
            "pictures.csv", "path,label\r\n猫.png,cat\r\n".encode(), "One row for each picture, attack and model"
        ),
        Attachment("empty.log", b"", "What the program noted"),
    )
    return Report(
        "r-3f9a1c2b",
        "Robustness of CAPT prompts on 60 toy pictures",
        "capt-shapes-night · demo model · PGD-20 at ε = 4/255",
        "2026-11-22T21:45:59+00:00",
        sections,
        files,
    )


def numbers(report: Report) -> list[str]:
    """Every cell of every table that holds a figure, without its spaces."""
    cells = [
        cell
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Grid)
        for row in block.rows
        for cell in row[1:]
    ]
    return ["".join(cell.split()) for cell in cells if any(char.isdigit() for char in cell)]


def test_the_sample_has_every_block() -> None:
    """No kind of block is forgotten here when a new one is added."""
    kinds = {type(block) for section in sample().sections for block in section.blocks}
    assert kinds == set(Block.__args__)
    assert all(fields(kind) for kind in kinds)
