"""The one table: every column of every row, and a CSV that no spreadsheet will run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from capt_engine.metrics import METRICS
from capt_engine.metrics.tally import Trial
from capt_engine.records import AttackSpec, PictureRow, ThreatModel, Verdict
from capt_engine.records.columns import COLUMNS
from capt_engine.runs.table import cells, columns, csv_cells, csv_writer, trial

ROW = PictureRow(
    path="holiday/cat.jpg",
    sha256="ab" * 32,
    width=640,
    height=480,
    label="cat",
    label_source="model",
    classes=("cat", "dog"),
    clean=Verdict((2.0, 1.0), (0.75, 0.25)),
    attacked=Verdict((1.0, 3.0), (0.125, 0.875)),
    attack=AttackSpec("pgd"),
    steps=20,
    restarts=1,
    threat=ThreatModel(),
    seed=7,
    success=True,
    metrics=(("margin_clean", 1.0), ("margin_attacked", -2.0), ("linf", 4 / 255), ("l2", 0.5), ("ssim", 0.99)),
    survives_png=True,
    survives_jpeg95=False,
    time_s=0.12345,
    model_id="demo",
    prompt_id="none",
)


def test_cells_are_the_rows_own_figures() -> None:
    """Predictions, confidences, margins and distances land in their columns."""
    found = cells(ROW)
    assert tuple(found) == columns()
    assert (found["clean_pred"], found["clean_conf"], found["clean_margin"]) == ("cat", 0.75, 1.0)
    assert (found["adv_pred"], found["adv_conf"], found["adv_margin"]) == ("dog", 0.875, -2.0)
    assert (found["linf"], found["survives_png"], found["survives_jpeg95"]) == (4 / 255, True, False)


@pytest.mark.parametrize(("score", "odd", "text"), [(1.25, True, "true"), (1.0, False, "false"), (None, None, "")])
def test_a_score_beyond_its_threshold_is_out_of_distribution(score: float | None, odd: bool | None, text: str) -> None:
    """The row, its cells, its CSV and the trial that is read back say the same; without a score nothing is claimed."""
    row = replace(ROW, ood_score=score)
    line = csv_cells(cells(row))
    assert (row.out_of_distribution, cells(row)["ood_score"], line["out_of_distribution"]) == (odd, score, text)
    assert trial(line).out_of_distribution is Trial.of(row).out_of_distribution is odd


# The header of every rows.csv before there were entropies and cosines, in the order it was written in.
OLDER = (
    "path,sha256,width,height,label,label_source,clean_pred,clean_conf,clean_margin,attack,norm,eps,steps,restarts,seed,adv_pred,"
    "adv_conf,adv_margin,success,linf,l2,ssim,survives_png,survives_jpeg95,time_s,model_id,prompt_id,aimed_at,margin_clean,"
    "margin_attacked,margin_shift,confidence_clean,confidence_attacked,logit_shift,top5_kept,agreement,kl,js,cosine,frozen_agreement,"
    "frozen_kl,frozen_js,psnr,top5_clean,top5_attacked,nll_clean,nll_attacked,brier_clean,brier_attacked,alpha,l0,mean_change,"
    "survives_jpeg75,survives_resize,skipped,goal,knowledge,perturb,rounding,budget,minimal_eps"
)
# Of those, the columns that held the numbers of clean_margin and adv_margin once more.
REPEATED = ("margin_clean", "margin_attacked")


def test_columns_stay_where_they_stood() -> None:
    """What was once written comes first and in the same order; what came later stands behind it, new metrics last."""
    older = tuple(name for name in OLDER.split(",") if name not in REPEATED)
    assert columns()[: len(older)] == older
    assert columns()[: len(COLUMNS)] == COLUMNS
    assert set(columns()) == {*COLUMNS, *METRICS.names()} - set(REPEATED)


def test_what_was_not_measured_is_empty() -> None:
    """A row without an attack leaves the attack's columns empty, in the CSV too."""
    clean = replace(ROW, attacked=None, attack=None, success=None, metrics=(), survives_png=None, survives_jpeg95=None)
    found = csv_cells(cells(clean))
    assert all(found[name] == "" for name in ("attack", "norm", "eps", "adv_pred", "success", "linf", "survives_png"))


def test_lpips_stands_in_its_column_or_leaves_it_empty() -> None:
    """Measured, it is read back as the number it was; a file of a version that did not know it is read as well."""
    assert csv_cells(cells(ROW))["lpips"] == ""
    told = csv_cells(cells(replace(ROW, metrics=(("linf", 4 / 255), ("lpips", 0.125)))))
    assert told["lpips"] == "0.125"
    assert dict(trial(told).metrics) == {"linf": 4 / 255, "lpips": 0.125}
    older = {name: text for name, text in told.items() if name != "lpips"}
    assert dict(trial(older).metrics) == {"linf": 4 / 255}


def test_a_csv_reads_back_as_it_was_written() -> None:
    """Quotes, commas, line breaks and other scripts survive the round trip; numbers keep every digit; lines end as RFC 4180 says."""
    odd = replace(ROW, path='a "b", c\nд 猫.png')
    file = io.StringIO(newline="")
    csv_writer(file, header=True).writerow(csv_cells(cells(odd)))
    text = file.getvalue()
    assert text.startswith("path,") and text.endswith("\r\n")  # noqa: PT018  # one statement about one text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["path"] == odd.path
    assert float(row["eps"]) == 4 / 255


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x","y").png', "+1.png", "-1.png", "@x.png", "\tx.png"])
def test_no_cell_is_a_formula(name: str) -> None:
    """A name that a spreadsheet would run is written as text."""
    assert csv_cells(cells(replace(ROW, path=name)))["path"] == "'" + name


def test_a_name_that_is_no_text_is_shown_escaped() -> None:
    """Undecodable bytes of a file name neither fail nor vanish."""
    shown = csv_cells(cells(replace(ROW, path="bad\udcff.png")))["path"]
    assert shown.startswith("bad")
    assert "udcff" in shown


@pytest.mark.parametrize("path", ["cat.png", "=1+1.png", "-a.png"])
def test_a_line_tells_the_same_trial_as_its_row(path: str) -> None:
    """What is counted from a finished run's CSV is what was counted while it ran."""
    row = replace(ROW, path=path, time_s=0.5, aimed_at="none", frozen="dog")
    file = io.StringIO(newline="")
    csv_writer(file, header=True).writerow(csv_cells(cells(row)))
    (line,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    found, known = trial(line), Trial.of(row)
    assert replace(found, metrics=()) == replace(known, metrics=())
    assert dict(found.metrics) == dict(known.metrics)
