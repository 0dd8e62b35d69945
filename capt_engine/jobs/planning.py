"""From a request to a plan: the models that a job needs are loaded, and every name is resolved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capt_engine import records
from capt_engine.errors import BadRequest
from capt_engine.evaluation.plan import Plan, Variant, plan_analysis
from capt_engine.files import sha256
from capt_engine.jobs import catalogue
from capt_engine.jobs.context import ModelContext
from capt_engine.jobs.model_cache import ModelCache
from capt_engine.jobs.run_recording import refuse_early, with_pictures
from capt_engine.metrics.alpha import AlphaRule
from capt_engine.model.checkpoints import plain_sentence, read_document
from capt_engine.model.classifier import Classifier
from capt_engine.model.store.prompt_store import find


def analysis_plan(job: ModelContext, request: records.AnalyzeRequest) -> tuple[Plan, str]:
    """Load model and prompts of an analysis, and return its plan and its template.

    job: the context, with the models and the progress. Raises CaptError.
    """
    refuse_early(request)
    perceptual = job.cache.lpips(request)
    job.progress(0, 0, f"loading {request.options.model}")
    # A's come before B's, as in the window
    own = next(filter(None, map(prompts_of, request.variants)), None)
    classes, template = catalogue.suggestion(request.options.model)
    if own is not None and not request.options.classes:
        document = read_document(own)
        classes, template = document.classes or classes, plain_sentence(document)
    classes, template = request.options.classes or classes, request.options.template or template
    if any(path and read_document(path).shape.n_classes for path in map(prompts_of, request.variants)):
        # The list that prompts of each class's own were published with may have a name twice.
        classes = records.distinct(classes)
    variants, frozen = variants_of(job.cache, request, classes, template)
    wanted = with_pictures(request)
    source, _ = beside(job.cache, request, classes, template)
    return plan_analysis(wanted, variants, frozen, source=source, lpips=perceptual), template


def prompts_of(name: str | None) -> Path | None:
    """Return the checkpoint file of prompts with this name; None for plain text."""
    return None if name in (None, "", records.NO_PROMPTS) else find(str(name))


def variants_of(
    cache: ModelCache, request: records.RunRequest, classes: Sequence[str], template: str
) -> tuple[list[Variant], Classifier]:
    """Return A, and B where there is one, and the zero-shot classifier; raises BadRequest where A and B are the same."""
    frozen = cache.classifier(request, classes, template, None)
    wanted = request.variants
    if len(set(wanted)) < len(wanted):
        raise BadRequest(f"A and B are both {wanted[-1]!r}.", "Compare with other prompts, or with none.")
    variants = []
    for name in wanted:
        if (path := prompts_of(name)) is None:
            variants.append(Variant(name, frozen))
            continue
        document = read_document(path)
        rule = AlphaRule.of(document.method, document.settings)
        variants.append(Variant(name, cache.classifier(request, classes, template, path), sha256(path), rule))
    return variants, frozen


def beside(
    cache: ModelCache, request: records.RunRequest, classes: Sequence[str], template: str
) -> tuple[Classifier | None, Classifier | None]:
    """Return the other model that attacks are to be computed on, and the undefended one that checks want; None for none.

    Raises BadRequest for attacks computed on the model itself, and what loading raises.
    """
    on = request.options.source_model
    if on == request.options.model and request.options.prompts in (None, "", records.NO_PROMPTS):
        raise BadRequest(
            "The attack would be computed on the very model that is asked.", "Leave --source-model away for that."
        )
    base = cache.backbone(request.options.model, request.options.device).base
    below = base.id if base is not None and request.checks == "full" else ""
    models = [name for name in dict.fromkeys((on, below)) if name and name != request.options.model]
    found = dict(zip(models, cache.beside(models, request, classes, template), strict=True))
    source = cache.classifier(request, classes, template, None) if on == request.options.model else found.get(on)
    return source, found.get(below)
