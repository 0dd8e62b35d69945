"""Saliency from Python: one function over the methods that explain single pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.attacks.inputs import check_images, check_labels, count_classes
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.explanations.gradient import gradient_size, gradient_sum, input_gradient
from capt_engine.explanations.occlusion import occlusion
from capt_engine.explanations.rollout import attention_rollout
from capt_engine.explanations.scores import LogitsFn
from capt_engine.model.classifier import Classifier
from capt_engine.progress import Progress, no_progress

METHODS = ("gradient", "rollout", "occlusion")


def saliency(
    model: LogitsFn,
    x: Tensor,
    y: Tensor | None = None,
    *,
    method: str = "gradient",
    of: str = "margin",
    signed: bool = False,
    patch: int = 16,
    batch_size: int = 32,
    progress: Progress = no_progress,
) -> Tensor:
    """Compute where in the pictures the model's answers come from.

    Args:
        model: a `Classifier`; for "gradient" and "occlusion" also any function or module in evaluation mode, pixels (n, 3, h, w) in
            [0, 1] → logits (n, k).
        x: pictures, (n, 3, h, w), float32 or float64 in [0, 1], on the model's device.
        y: class indices (n,) that are explained; default: the model's own answers. Rollout looks at no class.
        method: "gradient" (Simonyan et al. 2014), "rollout" (attention rollout, Abnar & Zuidema 2020; ViT towers only) or "occlusion"
            (Zeiler & Fergus 2014).
        of: what gradient and occlusion explain: the "margin" of the class over the best other one, or its "logit".
        signed: the gradient summed over the colours with its sign, instead of its absolute values.
        patch: the side of the covered squares of occlusion, in pixels.
        batch_size: covered pictures in one forward pass of occlusion.
        progress: called at each pass of occlusion; what it raises ends the work.

    Returns:
        Of the gradient one value a pixel, (n, h, w), in logits per unit of pixel. Of rollout one a patch, (n, rows, columns), shares
        of the embedding. Of occlusion one a square, (n, ⌈h / patch⌉, ⌈w / patch⌉), the logits lost by covering it.

    Raises:
        BadRequest: a wrong shape, type or range, or a model that the method cannot look into.
        UnknownName: another method or score.

    Example:
        >>> import capt_engine as capt
        >>> clip = capt.load_clip("demo")
        >>> x, y, classes = capt.demo_pictures(clip, n=2)
        >>> model = capt.Classifier(clip, classes, "a render of a {}.")
        >>> capt.saliency(model, x, y).shape
        torch.Size([2, 64, 64])
        >>> capt.saliency(model, x, method="rollout").shape
        torch.Size([2, 8, 8])
    """
    if method not in METHODS:
        raise UnknownName("saliency method", method, METHODS)
    check_images(x)
    if method == "rollout":
        if not isinstance(model, Classifier):
            raise BadRequest(
                "Attention rollout looks into CLIP's own image tower, and this is another model.",
                "Give a capt.Classifier, or choose the gradient or occlusion.",
            )
        return attention_rollout(model, x)
    classes = count_classes(model, x)
    if y is None:
        with torch.no_grad():
            y = model(x).argmax(dim=1)
    check_labels(y, x, classes)
    labels = y.to(x.device, torch.long)
    if method == "occlusion":
        return occlusion(model, x, labels, patch, of, batch_size, progress)
    gradient = input_gradient(model, x, labels, of)
    return gradient_sum(gradient) if signed else gradient_size(gradient)
