"""Jobs that look closer at one picture of an analysis: saliency maps, and its attack step by step."""

from __future__ import annotations

from capt_engine.evaluation.replay import replay
from capt_engine.explanations.of_records import explained
from capt_engine.jobs.context import Gathered, ModelContext
from capt_engine.jobs.planning import analysis_plan
from capt_engine.records import (
    ReplayRequest,
    ReplayResult,
    ReplayStep,
    ReplayStepsReady,
    SaliencyRequest,
    SaliencyResult,
)

_GATHER_S = 0.1


def handle_saliency(job: ModelContext, request: SaliencyRequest) -> SaliencyResult:
    """Compute the saliency maps of one picture, clean and attacked, as `request` asks.

    job: the context, with the models and the progress. Raises CaptError.
    """
    work, _ = analysis_plan(job, request.run)
    variant = work.variants[-1 if request.side == "b" else 0]
    return explained(variant.classifier, request, job.progress)


def handle_replay(job: ModelContext, request: ReplayRequest) -> ReplayResult:
    """Run the attack of an analysis again on one picture, and send its steps as they are made.

    job: the context; the steps leave through its `on_event`. Raises CaptError.
    """
    work, _ = analysis_plan(job, request.run)
    steps: Gathered[ReplayStep] = Gathered(lambda some: job.on_event(ReplayStepsReady(job.id, some)), _GATHER_S)
    result = replay(work, request.run.paths[0], request.side, steps.add, job.progress)
    steps.send()
    return result
