"""Published models and prompts that are imported: what is asked, and what came of it."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result


@dataclass(frozen=True)
class SanityScore(Result):
    """The score of something just imported on a few labelled pictures: enough to see that it works at all, not how well.

    pictures: what they were, in words. right of n pictures, n_classes to choose from; chance: the share that guessing gets; p_value: the
    probability that guessing gets at least as many right. warning: "" unless that is likely, or the pictures could not be scored.
    """

    pictures: str
    n: int
    n_classes: int
    right: int
    chance: float
    p_value: float
    warning: str = ""


@dataclass(frozen=True)
class SanityRequest(Request):
    """Try an installed model on a few labelled pictures ("" for the demo pictures), to see that it works at all."""

    model: str
    pictures: str = ""


@dataclass(frozen=True)
class ImportPromptsRequest(Request):
    """Bring in a published file of prompts for a model.

    name: "" makes one from the family and the file's hash. template, classes, position (of the class name: end, middle, front), eps (in
    pixel units [0, 1]), family (the method, as "maple" or "fap"): what the file may not say; empty where the user does not know either.
    any_model: also where the file holds another CLIP than the model named. pictures: a labelled folder for the sanity score, "" for the
    demo pictures.
    """

    file: str
    model: str
    name: str = ""
    device: str = "auto"
    template: str = ""
    classes: tuple[str, ...] = ()
    position: str = ""
    eps: float | None = None
    any_model: bool = False
    pictures: str = ""
    family: str = ""


@dataclass(frozen=True)
class PromptsImported(Result):
    """Prompts that were imported and installed; said: what the file told, assumed: what was taken for granted, in sentences.

    score: theirs; plain: that of the model without prompts, on the same pictures.
    """

    name: str
    path: str
    sha256: str
    family: str
    model: str
    template: str
    classes: tuple[str, ...]
    said: tuple[str, ...]
    assumed: tuple[str, ...]
    score: SanityScore
    plain: SanityScore


@dataclass(frozen=True)
class ImportModelRequest(Request):
    """Bring in model weights from a file or folder under a name.

    base: the model that an image tower was tuned from. activation: "quickgelu" or "gelu" where the files do not say, or over what they
    say. pictures: a labelled folder for the sanity score, "" for the demo pictures. head_width: of the attention heads, where neither the
    files nor the published models say; 0 where the user does not know either.
    """

    path: str
    name: str
    base: str = ""
    activation: str = ""
    pictures: str = ""
    head_width: int = 0


@dataclass(frozen=True)
class ModelImported(Result):
    """A model that was imported and installed, the form it came in, what was said and assumed, and its zero-shot score."""

    name: str
    folder: str
    form: str
    sha256: str
    said: tuple[str, ...]
    assumed: tuple[str, ...]
    score: SanityScore


@dataclass(frozen=True)
class ImportLpipsRequest(Request):
    """Bring in the two files that LPIPS is measured with, in either order: a network of torchvision's, and the weights of its channels."""

    one: str
    other: str


@dataclass(frozen=True)
class LpipsImported(Result):
    """LPIPS weights that were imported: for which network (one of LPIPS_NETS, and in words), where they are, and their SHA-256.

    backbone, linear: the files they came from, with the SHA-256 of each.
    """

    net: str
    label: str
    path: str
    sha256: str
    backbone: str
    backbone_sha256: str
    linear: str
    linear_sha256: str
