"""A protocol's table against numbers worked out by hand, and what it says of what is not there."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from capt_engine.errors import BadRequest
from capt_engine.metrics.interval import wilson
from capt_engine.protocols.cache import Measured
from capt_engine.protocols.definitions import Cell, Recipe
from capt_engine.protocols.render import Page, as_csv, as_json, as_text, markdown, refuse_foreign, write
from capt_engine.protocols.table import Chapter, Line, pairs, table

METRICS = ("clean", "1/255")


def measured(clean: str, robust: str, pictures: str = "same") -> Measured:
    """A finished cell."""
    return Measured(right={"clean": clean, "1/255": robust}, pictures=pictures)


def zero_shot(clean: str, robust: str, dataset: str = "a", half: str = "all") -> Line:
    """The zero-shot row of a data set."""
    return Line(dataset, "zero-shot", "", (Cell(None, dataset, half),), half, (measured(clean, robust),))


def tuned(*cells: Measured | None, method: str = "capt", dataset: str = "a", variant: str = "16 shots") -> Line:
    """A row with one cell a seed, from 1."""
    planned = tuple(Cell(Recipe(dataset, method, 16, seed), dataset) for seed in range(1, len(cells) + 1))
    return Line(dataset, method, variant, planned, "all", cells)


def chapter(*lines: Line) -> Chapter:
    """A table about clean accuracy and one budget."""
    return Chapter("few-shot", "Few-shot", METRICS, lines)


def test_mean_deviation_and_interval_over_seeds() -> None:
    """Seeds with 6, 8 and 10 of 10 right: 80 % ± 20 points (sample deviation), Wilson's interval for 8 of 10."""
    cells = [measured("1" * k + "0" * (10 - k), "0" * 10) for k in (6, 8, 10)]
    figure = table(chapter(tuned(*cells))).entries[0].figures["clean"]
    assert figure is not None
    assert (figure.mean, figure.std, figure.n) == (pytest.approx(0.8), pytest.approx(0.2), 10)
    assert (figure.low, figure.high) == wilson(8, 10)


def test_one_seed_has_no_deviation() -> None:
    """A single seed says so instead of ± 0."""
    page = Page("T", (), (table(chapter(zero_shot("1100", "1000"), tuned(measured("1110", "1000")))),))
    assert "one seed" in as_text(page)
    assert "±" not in as_text(page)


def test_pairs_are_picture_by_picture_and_seed_by_seed() -> None:
    """Zero-shot stands beside every seed; a picture that could not be used on either side is left out."""
    base, line = zero_shot("110-", "0000"), tuned(measured("0111", "0000"), measured("1-01", "0000"))
    seed_1, seed_2 = [(True, False), (True, True), (False, True)], [(True, True), (False, False)]
    assert pairs(base, line, "clean") == seed_1 + seed_2


def test_other_pictures_are_never_paired() -> None:
    """Answers about pictures with another fingerprint are not compared."""
    assert pairs(zero_shot("11", "11"), tuned(measured("11", "11", "others")), "clean") == []


def test_the_test_against_zero_shot_is_mcnemars() -> None:
    """Ten pictures won and none lost: p = 2 · 2⁻¹⁰, and CAPT is ahead clean and equal under attack."""
    found = table(chapter(zero_shot("0" * 12, "01" * 6), tuned(measured("1" * 10 + "00", "10" * 6))))
    figure = found.entries[1].figures["clean"]
    assert figure is not None
    assert figure.versus is not None
    assert figure.versus.p_value == pytest.approx(2 / 1024)
    assert figure.versus.difference == pytest.approx(10 / 12)
    assert found.verdicts == (
        "CAPT against zero-shot: ahead in 1 of 2 (a 16 shots: clean), equal in 1 of 2 (a 16 shots: 1/255), behind in 0 of 2.",
    )


def test_capt_behind_is_said() -> None:
    """Where another method wins the paired test, the sentence says behind."""
    lines = (tuned(measured("0" * 12, "0" * 12)), tuned(measured("1" * 12, "0" * 12), method="fap"))
    (verdict,) = table(chapter(*lines)).verdicts
    assert verdict.startswith("CAPT against fap: ahead in 0 of 2, equal in 1 of 2")
    assert verdict.endswith("behind in 1 of 2 (a 16 shots: clean).")


def test_rows_of_other_shots_are_not_opponents() -> None:
    """CAPT with 16 shots is held against FAP with 16 shots, and against zero-shot, which has none."""
    cell = measured("1100", "1000")
    lines = (zero_shot("1100", "1000"), tuned(cell), tuned(cell, method="fap", variant="1 shot"))
    assert [verdict.split(":")[0] for verdict in table(chapter(*lines)).verdicts] == ["CAPT against zero-shot"]


def test_an_ablation_holds_the_changes_against_the_unchanged() -> None:
    """The unchanged row is the reference, and the changed ones are the opponents."""
    cell = measured("1100", "1000")
    lines = (zero_shot("1100", "1000"), tuned(cell, variant="unchanged"), tuned(cell, variant="α = 0"))
    said = [verdict.split(":")[0] for verdict in table(chapter(*lines)).verdicts]
    assert said == ["CAPT unchanged against zero-shot", "CAPT unchanged against α = 0"]


def test_the_average_is_the_mean_of_the_means() -> None:
    """Data sets of 4 and of 2 pictures count alike: (75 % + 50 %) / 2; the paired test pools all six pictures."""
    found = table(
        chapter(
            zero_shot("0000", "0000", "a"),
            tuned(measured("1110", "0000"), dataset="a"),
            zero_shot("00", "00", "b"),
            tuned(measured("10", "00"), dataset="b"),
        )
    )
    average = found.entries[-1]
    assert (average.dataset, average.method) == ("average of 2 data sets", "capt")
    figure = average.figures["clean"]
    assert figure is not None
    assert figure.mean == pytest.approx(0.625)
    assert figure.low is None
    assert figure.versus is not None
    assert (figure.versus.n, figure.versus.only_b, figure.versus.only_a) == (6, 4, 0)


def test_the_average_needs_every_data_set() -> None:
    """An average over what happens to be there could not be compared with its neighbours."""
    lines = (tuned(measured("1110", "0000"), dataset="a"), tuned(None, dataset="b"))
    assert table(chapter(*lines)).entries[-1].figures["clean"] is None


def test_the_averages_deviation_is_between_seeds() -> None:
    """Seed 1 averages to 50 %, seed 2 to 100 %: 75 % ± 35.4 points."""
    cells = (measured("10", "00"), measured("11", "00"))
    found = table(chapter(tuned(*cells, dataset="a"), tuned(*cells, dataset="b")))
    figure = found.entries[-1].figures["clean"]
    assert figure is not None
    assert (figure.mean, figure.std) == (pytest.approx(0.75), pytest.approx(0.5**1.5))


def test_harmonic_means_are_labelled_and_right() -> None:
    """HM2 of 80 % and 40 % is 53.3 %; HM4 of those and of 20 % and 10 % is 21.3 %."""
    cells = {"base": measured("11110", "10000"), "new": measured("1111000000", "1000000000")}
    lines = [replace(tuned(cell), subsample_classes=half) for half, cell in cells.items()]
    found = {entry.subsample_classes: entry.figures for entry in table(chapter(*lines)).entries}
    assert list(found) == ["base", "new", "HM2", "HM4"]
    clean, robust, both = found["HM2"]["clean"], found["HM2"]["1/255"], found["HM4"]["1/255"]
    assert clean is not None
    assert robust is not None
    assert both is not None
    assert clean.mean == pytest.approx(2 / (1 / 0.8 + 1 / 0.4))
    assert robust.mean == pytest.approx(2 / (1 / 0.2 + 1 / 0.1))
    assert both.mean == pytest.approx(4 / (1 / 0.8 + 1 / 0.4 + 1 / 0.2 + 1 / 0.1))
    assert found["HM4"]["clean"] is None
    one_half = table(chapter(lines[0], replace(tuned(None), subsample_classes="new"))).entries
    assert one_half[2].figures["clean"] is None


def test_markdown_says_what_was_left_out_and_what_failed() -> None:
    """A missing row, missing seeds, a seed that nobody has, and a failure with its reason are all named."""
    cell = measured("1100", "1000")
    lines = (
        tuned(cell, cell, None),
        tuned(cell, None, None, method="fap"),
        tuned(None, None, None, method="coop"),
        tuned(cell, Measured(failure="Nothing to learn from."), None, method="apt"),
    )
    text = markdown(Page("Results", (("Command", "capt"),), (table(chapter(*lines)),)))
    assert "# Results" in text
    assert "- **Command**: capt" in text
    assert "- Not measured: seed 3 of every row." in text
    assert "- Not measured: a fap 16 shots seed 2; a coop 16 shots seeds 1, 2." in text
    assert "- Failed: a apt 16 shots: Nothing to learn from." in text
    assert not [line for line in text.splitlines() if line.startswith("| a | coop")]
    columns = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert len(columns) == 1


def test_csv_and_json_hold_every_figure() -> None:
    """One CSV line a figure, with the same numbers as the JSON."""
    page = Page("T", (), (table(chapter(zero_shot("1100", "1000"), tuned(measured("1110", "1000")))),))
    rows = list(csv.DictReader(io.StringIO(as_csv(page))))
    assert [(row["method"], row["metric"], float(row["mean"])) for row in rows] == [
        ("zero-shot", "clean", 0.5),
        ("zero-shot", "1/255", 0.25),
        ("capt", "clean", 0.75),
        ("capt", "1/255", 0.25),
    ]
    assert float(rows[2]["p_value"]) == 1.0
    told = json.loads(as_json(page))
    assert told["tables"][0]["entries"][1]["figures"]["clean"]["mean"] == 0.75


def test_the_files_ending_chooses_the_format(tmp_path: Path) -> None:
    """.md, .csv, .json and .txt are written, and written again, but over nothing of the user's; another ending is refused."""
    page = Page("T", (("Command", "capt"),), (table(chapter(zero_shot("1100", "1000"))),))
    for suffix in (".md", ".csv", ".json", ".txt"):
        (tmp_path / f"mine{suffix}").write_text("# My data set, a method and a title\n")
        with pytest.raises(BadRequest, match="not written by this program"):
            refuse_foreign(tmp_path / f"mine{suffix}")
        write(page, tmp_path / f"table{suffix}")
        refuse_foreign(tmp_path / f"table{suffix}")
    assert json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))["title"] == "T"
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == markdown(page)
    with pytest.raises(BadRequest, match="ending"):
        write(page, tmp_path / "table.pdf")
