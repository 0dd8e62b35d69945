"""The one table that the terminal, the CSV and every report print: a row per picture × attack × model."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Mapping
from typing import TextIO

from capt_engine.formatting import Cell, csv_plain, csv_text
from capt_engine.metrics import METRICS
from capt_engine.metrics.tally import Trial
from capt_engine.records import SAVINGS, AnalyzeResult, CountedRow, PictureRow
from capt_engine.records.columns import COLUMNS

_COLUMN_OF = {"margin_clean": "clean_margin", "margin_attacked": "adv_margin"}
"""Metrics that stand in a column of another name, which other tools expect; in older files they stand in both."""


def cells(row: PictureRow) -> dict[str, Cell]:
    """Return the cells of `row` by column name, in the columns' order; None where nothing was measured.

    Confidences are of the predicted class, in [0, 1].
    """
    measured = dict(row.metrics)
    attacked = row.attacked
    clean_best = row.clean.winner
    found: dict[str, Cell] = {
        "path": row.path,
        "sha256": row.sha256,
        "width": row.width,
        "height": row.height,
        "label": row.label,
        "label_source": row.label_source,
        "clean_pred": row.classes[clean_best],
        "clean_conf": row.clean.probabilities[clean_best],
        "attack": row.attacked_by or None,
        "norm": row.threat.norm if row.attack else None,
        "eps": row.threat.eps if row.attack else None,
        "steps": row.steps if row.attack else None,
        "restarts": row.restarts if row.attack else None,
        "seed": row.seed if row.attack else None,
        "adv_pred": row.classes[attacked.winner] if attacked else None,
        "adv_conf": attacked.probabilities[attacked.winner] if attacked else None,
        "success": row.success,
        "survives_png": row.survives_png,
        "survives_jpeg95": row.survives_jpeg95,
        "time_s": round(row.time_s, 4),
        "model_id": row.model_id,
        "prompt_id": row.prompt_id,
        "aimed_at": row.aimed_at or None,
        **{_COLUMN_OF.get(name, name): measured.get(name) for name in METRICS.names()},
        "survives_jpeg75": row.survives_jpeg75,
        "survives_resize": row.survives_resize,
        "skipped": row.skipped or None,
        "goal": row.threat.goal if row.attack else None,
        # "transfer": from whom stands in aimed_at.
        "knowledge": row.threat.knowledge.partition(" from ")[0] if row.attack else None,
        "perturb": row.threat.perturb if row.attack else None,
        "rounding": row.threat.rounding if row.attack else None,
        "budget": (row.threat.budget or None) if row.attack else None,
        # As a word, which JSON can hold: searched, and never broken.
        "minimal_eps": "inf" if row.minimal_eps == math.inf else row.minimal_eps,
        "frozen_pred": row.frozen or None,
        "alpha_rule": row.alpha_rule or None,
        "ood_score": row.ood_score,
        "out_of_distribution": row.out_of_distribution,
        "target": row.threat.target if row.attack else None,
    }
    return {name: found[name] for name in columns()}


def columns() -> tuple[str, ...]:
    """Return the names of all columns of rows.csv, in order."""
    return tuple(dict.fromkeys((*COLUMNS, *(_COLUMN_OF.get(name, name) for name in METRICS.names()))))


def trial(line: Mapping[str, str]) -> Trial:
    """Read a row of rows.csv, of this or an older version, as a Trial: one picture × attack × budget × prompts.

    line: column → text. Raises KeyError or ValueError where it is no such row.
    """
    values = {name: csv_plain(text) for name, text in line.items()}
    minimal = values.get("minimal_eps")
    return Trial(
        path=values["path"],
        label=values["label"],
        clean_pred=values["clean_pred"],
        prompts=values["prompt_id"],
        attack=values["attack"],
        eps=float(values["eps"] or 0),
        adv_pred=values["adv_pred"],
        success=_TRUTH[values["success"]],
        seconds=float(values["time_s"]),
        metrics=tuple(
            (name, float(text)) for name in METRICS.names() if (text := values.get(_COLUMN_OF.get(name, name)))
        ),
        aimed_at=values["aimed_at"],
        skipped=values.get("skipped", ""),
        knowledge=values.get("knowledge", ""),
        norm="" if values.get("budget") else values["norm"],
        clean_conf=float(values["clean_conf"]),
        adv_conf=float(values["adv_conf"]) if values["adv_conf"] else None,
        png=_TRUTH[values["survives_png"]],
        minimal_eps=float(minimal) if minimal else None,
        frozen_pred=values.get("frozen_pred", ""),
        out_of_distribution=_TRUTH[values.get("out_of_distribution", "")],
    )


def counted_row(line: Mapping[str, str]) -> CountedRow:
    """Read a row of rows.csv, of this or an older version, as far as right answers are counted by it.

    line: column → text. Raises KeyError or ValueError where it is no such row.
    """
    one = trial(line)
    return CountedRow(
        path=one.path,
        prompts=one.prompts,
        label=one.label,
        clean_pred=one.clean_pred,
        attack=one.attack,
        eps=one.eps,
        adv_pred=one.adv_pred,
        success=one.success,
        skipped=one.skipped,
        metrics=one.metrics,
        survives=tuple((way, held) for way in SAVINGS if (held := _TRUTH[line.get(f"survives_{way}", "")]) is not None),
    )


_TRUTH = {"true": True, "false": False, "": None}


def summary(result: AnalyzeResult, seed: int, run_dir: str | None) -> dict[str, object]:
    """Return `result` as the plain JSON values of the summary that the command line prints and summary.json keeps.

    seed: the run's seed. run_dir: the path of the folder that the run is kept in, None for none. Lists of what was not
    asked for are empty.
    """
    plain = dataclasses.asdict(result)
    # The manifest says which rows were not computed anew: the figures are the same.
    del plain["classes"], plain["compared"], plain["rows_from_store"], plain["store_note"], plain["pace"]
    return plain | {
        "attacks": {
            attack.name: {
                # Nothing was left for it: then it has no accuracy, not one of zero.
                "accuracy": attack.accuracy if attack.n or not attack.skipped else None,
                "cumulative_accuracy": attack.cumulative_accuracy,
                "success_rate": attack.success_rate if attack.n or not attack.skipped else None,
                "seconds": round(attack.seconds, 3),
                "n": attack.n,
                "skipped": attack.skipped,
            }
            for attack in result.attacks
        },
        "consistency": dict(result.consistency),
        "unknown_words": [{**dataclasses.asdict(one), "sentence": one.sentence} for one in result.unknown_words],
        "figures": {one.name: {"value": one.value, "n": one.n} for one in result.figures},
        "checks": [{**dataclasses.asdict(one), "value": _finite(one.value)} for one in result.checks],
        "suite": result.suite or None,
        "threat_model": {**plain["threat_model"], "goal": result.threat_model.goal},
        "compare": _compared(result),
        "seed": seed,
        "wall_s": round(result.wall_s, 3),
        "images_per_s": round(result.images_per_s, 3),
        "run_dir": run_dir,
    }


def _finite(value: float | None) -> float | None:
    """JSON knows neither infinity nor what is no number."""
    return value if value is None or math.isfinite(value) else None


_OF_B = ("prompts", "n", "clean_accuracy", "clean_interval", "robust_accuracy", "robust_interval", "curve")


def _compared(result: AnalyzeResult) -> dict[str, object] | None:
    """B beside A: the same figures, and the paired tests."""
    if result.compared is None:
        return None
    plain = dataclasses.asdict(result.compared)
    return {name: plain["other"][name] for name in _OF_B} | {
        "consistency": dict(result.compared.other.consistency),
        "paired_clean": plain["clean"],
        "paired_robust": plain["robust"],
    }


def csv_writer(file: TextIO, *, header: bool = False) -> csv.DictWriter[str]:
    """Return a writer that puts rows into the open `file` as RFC 4180 lines; its rows come from `csv_cells`.

    header: write the line of column names at once.
    """
    # Ignored: the columns of an older file that repeated another one.
    writer = csv.DictWriter(file, columns(), lineterminator="\r\n", extrasaction="ignore")
    if header:
        writer.writeheader()
    return writer


def csv_cells(row: Mapping[str, Cell]) -> dict[str, str]:
    """Return the cells of `row` as text by column: "" for None, "true" or "false" for booleans.

    Text that a spreadsheet would run as a formula gets a quote before it.
    """
    return {name: csv_text(row[name]) for name in columns()}
