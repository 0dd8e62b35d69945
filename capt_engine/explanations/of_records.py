"""Saliency maps of the pictures of an analysis, from records to records."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from capt_engine.errors import UnknownName
from capt_engine.explanations.drift import token_drift
from capt_engine.explanations.gradient import gradient_size, gradient_sum, input_gradient
from capt_engine.explanations.occlusion import occlusion
from capt_engine.explanations.rollout import attention_rollout
from capt_engine.explanations.tower import attention_blocks
from capt_engine.model.classifier import Classifier
from capt_engine.progress import Progress
from capt_engine.records import (
    SALIENCY_METHODS,
    Picture,
    PictureSet,
    SaliencyRequest,
    SaliencyResult,
    ValueMap,
)
from capt_engine.wrappers.reencoding import to_bytes
from capt_engine.wrappers.resizing import resized_for


def explained(classifier: Classifier, request: SaliencyRequest, progress: Progress) -> SaliencyResult:
    """Compute the saliency maps that are asked for, over the clean and the attacked picture as the model sees them.

    classifier: the model with the prompts that are asked. request: pictures, method and settings. progress: called at each
    step; what it raises (Cancelled) ends the work. Returns maps, pictures and answers. Raises UnknownName for a method,
    score or class that there is not, and BadRequest for a model that the method cannot look into.
    """
    if request.method not in SALIENCY_METHODS:
        raise UnknownName("saliency method", request.method, SALIENCY_METHODS)
    if request.label not in classifier.classes:
        raise UnknownName("class", request.label, classifier.classes)
    if request.method in ("rollout", "drift"):
        attention_blocks(classifier)
    progress(0, 0, "looking at the picture")
    clean, attacked = (resized_for(classifier, one.to(classifier.device)) for one in pixels_of(request.pictures))
    both = torch.cat([clean, attacked])
    with torch.no_grad():
        logits = classifier(both)
    probabilities = logits.cpu().double().softmax(dim=1)
    winners = logits.argmax(dim=1)
    labels = torch.full_like(winners, classifier.classes.index(request.label)) if request.of == "margin" else winners
    maps = _maps(classifier, both, labels, request, progress)
    answers = [(classifier.classes[int(win)], float(p[win])) for win, p in zip(winners, probabilities, strict=True)]
    pictures = [Picture(rgb.shape[1], rgb.shape[0], rgb.numpy().tobytes()) for rgb in to_bytes(both)]
    return SaliencyResult(maps[0], maps[1], (pictures[0], pictures[1]), (answers[0], answers[1]))


def _maps(
    classifier: Classifier, both: Tensor, labels: Tensor, request: SaliencyRequest, progress: Progress
) -> tuple[tuple[ValueMap, ...], tuple[ValueMap, ...]]:
    if request.method == "drift":
        (blocks,) = token_drift(classifier, both[:1], both[1:])
        return (), tuple(_map(one) for one in blocks)
    if request.method == "rollout":
        clean, attacked = attention_rollout(classifier, both)
        return (_map(clean),), (_map(attacked),)
    if request.method == "occlusion":
        clean, attacked = occlusion(classifier, both, labels, request.patch, request.of, progress=progress)
        return (_map(clean, request.patch),), (_map(attacked, request.patch),)
    gradient = input_gradient(classifier, both, labels, request.of)
    size, total = gradient_size(gradient), gradient_sum(gradient)
    return (_map(size[0]), _map(total[0])), (_map(size[1]), _map(total[1]))


def pixels_of(pictures: PictureSet) -> tuple[Tensor, Tensor]:
    """Turn the pictures of an analysis back into pixels.

    Args:
        pictures: the clean picture of 8-bit values, and the perturbation in 254 steps of its scale.

    Returns:
        Clean and attacked pixels, (1, 3, h, w) each, float32 in [0, 1]; the attacked ones within 1/254 of the perturbation's
        scale, which is finer than the 8 bits of the adversarial picture.
    """
    seen, change = pictures.seen, pictures.perturbation
    shape = (seen.height, seen.width, 3)
    clean = torch.from_numpy(np.frombuffer(seen.rgb, np.uint8).reshape(shape).copy()).float() / 255
    delta = torch.from_numpy(np.frombuffer(change.values, np.int8).reshape(shape).copy()).float() * (change.scale / 127)
    both = torch.stack([clean, (clean + delta).clamp(0, 1)]).permute(0, 3, 1, 2)
    return both[:1].contiguous(), both[1:].contiguous()


def _map(values: Tensor, patch: int = 0) -> ValueMap:
    rows, columns = values.shape
    return ValueMap(columns, rows, values.cpu().numpy().astype("<f4").tobytes(), patch)
