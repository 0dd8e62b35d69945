"""The identity of a model for the result store: two models of one identity give the same answers to every picture."""

from __future__ import annotations

import hashlib
from weakref import WeakKeyDictionary

import torch

from capt_engine.attacks.base import PictureRngs
from capt_engine.model.classifier import Classifier
from capt_engine.results.keys import digest_of
from capt_engine.wrappers.quantized import Quantized
from capt_engine.wrappers.resizing import Resizing

# The engine's own models do not change while they are loaded, so each is asked once.
_ASKED: WeakKeyDictionary[Classifier, str] = WeakKeyDictionary()


def identity(classifier: Classifier, *, may_change: bool = False) -> str | None:
    """Return a text that is the same for models which give the same answers, and for no others.

    It is made of the SHA-256 of the weights, the class names, template and text embeddings, the preprocessing, and of the
    bits of one answer: so the same weights with another activation, number of heads, device or library are another model,
    and so is one that a program changed after loading it.

    Args:
        classifier: any classifier.
        may_change: the weights are in the hands of a program that may change them: the model is asked anew each time.

    Returns:
        Hexadecimal digits; None for a model of unknown code, such as a torch module that is no CLIP.
    """
    inner = classifier.inner if type(classifier) is Quantized else classifier
    if type(inner) not in (Classifier, Resizing) or not inner.sha256:
        return None
    if may_change or inner not in _ASKED:
        found = _identity(inner)
        if may_change:
            return f"{type(classifier).__name__}.{found}"
        _ASKED[inner] = found
    return f"{type(classifier).__name__}.{_ASKED[inner]}"


def _identity(one: Classifier) -> str:
    like = torch.empty((1, 3, one.size, one.size))
    probe = PictureRngs.of(0, ["identity"]).uniform(like).to(one.device)
    with torch.no_grad():
        output = one.forward(probe)
        scores = one.ood_scores(output.features)
    bits = [output.logits, output.features, one.text, *(() if scores is None else (scores,))]
    total = hashlib.sha256()
    for value in bits:
        total.update(value.detach().cpu().contiguous().numpy().tobytes())
    facts = {
        "kind": type(one).__name__,
        "weights": one.sha256,
        "classes": list(one.classes),
        "template": one.template,
        "size": one.size,
        "precision": one.precision,
        "preprocessing": {name: str(value) for name, value in sorted(one.backbone.preprocessing.items())},
        "answer": total.hexdigest(),
    }
    return digest_of(facts).hex()
