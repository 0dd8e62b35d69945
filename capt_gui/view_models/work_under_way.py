"""The work that would be broken off if the window closed now: how long it has gone on, and what of it is kept."""

from __future__ import annotations

from typing import NamedTuple

from capt_gui.translate import counted, tr
from capt_gui.view_models.evaluate.ranking_run import RankingRun
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.explore.analysis_model import AnalysisModel
from capt_gui.view_models.formatting import time_taken
from capt_gui.view_models.tune.run import TuneRun

WORTH_ASKING_S = 10.0


class Work(NamedTuple):
    """One job under way. title: what it is and how long it has gone on; fate: what becomes of it; is_kept: it can go on later."""

    title: str
    fate: str
    is_kept: bool


def work_under_way(
    evaluation: EvaluateRun, ranking: RankingRun, analysis: AnalysisModel, tuning: TuneRun
) -> tuple[Work, ...]:
    """Return the jobs that have worked for at least `WORTH_ASKING_S` seconds, and would be broken off by closing the window."""
    found = []
    if evaluation.elapsed_s >= WORTH_ASKING_S:
        title = tr("An evaluation goes on: {} of work.").format(time_taken(evaluation.elapsed_s))
        found.append(_run(title, evaluation.n_done, is_kept=evaluation.is_kept))
    if ranking.elapsed_s >= WORTH_ASKING_S:
        title = tr("A ranking goes on: {} of work.").format(time_taken(ranking.elapsed_s))
        found.append(Work(title, ranking_fate(ranking), ranking.is_kept))
    if analysis.elapsed_s >= WORTH_ASKING_S:
        title = tr("An analysis goes on: {} of work.").format(time_taken(analysis.elapsed_s))
        found.append(_run(title, analysis.n_done, is_kept=analysis.is_kept))
    if tuning.elapsed_s >= WORTH_ASKING_S:
        title = tr("Tuning goes on: {} of work.").format(time_taken(tuning.elapsed_s))
        fate = tr("What was finished is kept; it can be resumed from the last whole epoch.")
        found.append(
            Work(
                title, fate if tuning.epochs else tr("No epoch is whole yet, so it would be lost."), bool(tuning.epochs)
            )
        )
    return tuple(found)


def ranking_fate(ranking: RankingRun) -> str:
    """Return a sentence on what is left of the ranking under way where it is broken off."""
    if ranking.is_kept:
        return tr(
            "Variants that are done, and the pictures of the one under way, stay as kept runs; the table does not."
        )
    return tr("Runs are not kept, so all that was measured for the ranking would be lost.")


def _run(title: str, n: int, *, is_kept: bool) -> Work:
    pictures = counted(n, "1 picture", "{:,} pictures")
    if is_kept and n:
        return Work(title, tr("What is there ({}) is kept, and the run can be resumed.").format(pictures), True)
    if is_kept:
        return Work(title, tr("No picture is done yet; the run can be begun again from its place in the list."), True)
    return Work(title, tr("Runs are not kept, so what is there ({}) would be lost.").format(pictures), False)
