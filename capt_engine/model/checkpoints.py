"""Prompts on disk: one safetensors file, with one JSON document about them in its metadata.

A file may come from a stranger. The header is checked here, by hand and before the safetensors library sees it; everything in the
document is checked by type; nothing in a file is ever run. What is wrong is said in one sentence.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, cast

import msgspec
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import write_atomic
from capt_engine.formatting import short
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import PLACEHOLDER, Prompts, PromptShape, TowerSizes, state_shapes
from capt_engine.model.text import is_template, keeping_braces
from capt_engine.model.vocabulary import WORDINGS
from capt_engine.reading import decode, fitted, renamed
from capt_engine.records.tuning import OLD_NAMES

FORMAT = 1
MAX_HEADER_BYTES = 1_000_000
MAX_TENSOR_BYTES = 64_000_000
_KEY, _LENGTH_BYTES, _NESTED = "capt_prompts", 8, 9
_DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_SHAPE = ("coupling", "n_ctx", "depth")
_Offset = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
_AGAIN = "The file is damaged or was changed; make it or download it again."
_NOT_WHOLE = "It did not arrive whole; copy or download it again."
_OTHER_KIND = "Choose a prompts file of this program; prompts of other programs have to be imported first."


@dataclass(frozen=True)
class MadeFor:
    """The model that prompts belong to: its id, the SHA-256 of its weights file, and the sizes that its prompts fit."""

    id: str
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    sizes: TowerSizes

    @classmethod
    def of(cls, backbone: Backbone) -> MadeFor:
        """Describe a model as a prompts file does: by id, SHA-256 of its weights, and sizes that prompts must fit.

        Of a path in the id only the last name is kept, since the file may travel. Raises BadRequest where the model is
        no ViT CLIP.
        """
        name = re.sub(r"^(hf-hub:.*|local-dir:|[^@/\\]*@|)(?:.*[/\\])?", r"\1", backbone.id.rstrip("/\\"))
        return cls(name, backbone.sha256, TowerSizes.of(backbone))

    def __str__(self) -> str:
        sizes = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in vars(self.sizes).items())
        return f"{self.id!r} ({sizes}, SHA-256 {short(self.sha256)})"


@dataclass(frozen=True)
class Document:
    """The description of prompts in their file, as plain values (sequences as tuples).

    template: the sentence, `{}` being the class name; `placeholder` stands in front of it as often as it takes for `n_ctx` tokens to
    stand before the class name. classes are what they were tuned on, for information: prompts move to other names. data: a fingerprint
    of the pictures. Anything that is not known is empty or None.
    """

    method: str
    backbone: MadeFor
    shape: PromptShape
    template: Annotated[str, msgspec.Meta(pattern=r"\{\}")]
    placeholder: Literal["X"] = PLACEHOLDER
    classes: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    data: str = ""
    seed: Annotated[int, msgspec.Meta(ge=0)] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, object] = field(default_factory=dict)
    notes: str = ""
    licence: str = ""


@dataclass(frozen=True)
class _Tensor:
    """The header's entry for a tensor: its type, its shape, and its first byte and the one behind its last."""

    dtype: Literal["F32", "F16", "BF16"]
    shape: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=MAX_TENSOR_BYTES)], ...], msgspec.Meta(max_length=8)]
    data_offsets: tuple[_Offset, _Offset]


@dataclass(frozen=True)
class Checkpoint:
    """A file's document and its tensors by name (fp32, on the CPU), which fit each other and are finite."""

    document: Document
    state: Mapping[str, Tensor]

    def prompts(self) -> Prompts:
        """Return the prompts module, filled with the tensors of this file, on the CPU."""
        prompts = Prompts.blank(self.document.backbone.sizes, self.document.shape)
        prompts.load_state_dict(dict(self.state))
        prompts.classes = self.document.classes if self.document.shape.n_classes else ()
        return prompts


def save(path: Path, prompts: Prompts, document: Document) -> None:
    """Write prompts with their document (description) into the file `path`, whole or not at all.

    A file that is there is replaced; the same content gives the same bytes. Raises BadCheckpoint where `load` would
    refuse the result, CannotWrite where the disk refuses, and ValueError where the document describes another shape
    than the prompts have.
    """
    if document.shape != prompts.shape:
        raise ValueError(f"the document says {document.shape}, the prompts are {prompts.shape}")
    state = {name: value.detach().to("cpu", torch.float32).contiguous() for name, value in prompts.state_dict().items()}
    with _about(path):
        # What is as usual goes unsaid, so that a file of ours is the same bytes whatever may be imported.
        usual = asdict(PromptShape())
        shape = {n: v for n, v in asdict(document.shape).items() if n in _SHAPE or v != usual[n]}
        text = json.dumps({"format": FORMAT, **asdict(document), "shape": shape}, sort_keys=True)
        content = safetensors.torch.save(state, {_KEY: text})
        _checkpoint(content)  # nothing is written that could not be read back
    write_atomic(path, content)


def read_document(path: Path) -> Document:
    """Read only the description of the prompts in the file `path`, from its header of at most 1 MB.

    All but the tensors' values is checked. Raises BadCheckpoint where the file is missing or no sound prompts file.
    """
    with _opened(path) as (file, size):
        return _header(file, size)


def read(path: Path) -> Checkpoint:
    """Read the whole prompts file `path`, document and tensors, and check it, without asking which model will use it.

    Raises BadCheckpoint where the file is missing or no sound prompts file.
    """
    with _opened(path) as (file, size):
        # First the few bytes that say whether it is ours: a whole model is not read into memory to be refused.
        _header(file, size)
        file.seek(0)
        return _checkpoint(file.read(size))


def load(path: Path, backbone: Backbone, *, allow_other_backbone: bool = False) -> tuple[Prompts, Document]:
    """Read the prompts file `path` for a model; return the prompts, on the model's device, and the file's metadata.

    The second value, a `Document`, says what the prompts are: their shape, classes, template, the model that they were
    made for, and how they were tuned.

    allow_other_backbone: accept prompts that were made for a model of the same sizes with other weights. Raises
    BadCheckpoint where the file is no sound prompts file, or was made for another model; BadRequest where the model
    cannot take prompts at all.
    """
    checkpoint = read(path)
    document, ours = checkpoint.document, MadeFor.of(backbone)
    theirs = document.backbone
    same_sizes = theirs.sizes == ours.sizes
    if not same_sizes or (theirs.sha256 != ours.sha256 and not allow_other_backbone):
        reason = "the same sizes, other weights" if same_sizes else "other sizes"
        raise BadCheckpoint(
            f"{path.name!r} was made for {theirs}; this model is {ours}: {reason}.",
            f"Choose {theirs.id!r}, or tune prompts for this model.",
        )
    if document.shape.frame not in (0, backbone.size):
        raise BadCheckpoint(
            f"{path.name!r} was made for pictures of {document.shape.frame} pixels; this model sees {backbone.size}.",
            f"Choose {theirs.id!r}.",
        )
    return checkpoint.prompts().to(backbone.mean.device), document


def sentence_in(document: Document, template: str) -> str:
    """Return the template to use with these prompts on a data set whose own template is `template`.

    Prompts of this program take the data set's. Imported ones may bring their own: the settings in `document` say "own"
    where it is part of the prompts (CoOp's take the place of all words, MaPLe's stand in "a photo of a"), and "braces"
    where the data set's template keeps its braces in front of the class name (FAP's).
    """
    return sentence_by(document.settings.get("sentence"), document.template, template)


def sentence_by(rule: object, own: str, template: str) -> str:
    """Return the template to use with prompts, by the setting "sentence" that their document or a manifest holds.

    rule: that setting. "own" gives `own`, the prompts' own template; "braces" gives the data set's `template` with its
    braces kept, as FAP writes it; anything else gives `template` itself.
    """
    return own if rule == "own" else keeping_braces(template) if rule == "braces" else template


def wording_of(document: Document) -> str:
    """Return the way in which prompts have class names written, one of `vocabulary.WORDINGS`.

    It is the document's setting "wording"; TeCoA's visual prompts of before the setting was kept have TeCoA's.
    """
    usual = WORDINGS[1] if document.method == "visual-prompt" else WORDINGS[0]
    return str(document.settings.get("wording", usual))


def plain_sentence(document: Document) -> str:
    """Return the template for the model without prompts: the document's setting "plain", else its own template."""
    plain = document.settings.get("plain")
    return plain if isinstance(plain, str) and is_template(plain) else document.template


class _Fault(BadRequest):
    """A fault of a file, as the rest of a sentence that begins with its name."""

    def __init__(self, what: str, hint: str = _AGAIN) -> None:
        super().__init__(what.removesuffix("."), hint)


def _parsed(text: bytes, what: str) -> dict[str, Any]:
    return decode(text, dict[str, Any], called=f"has a {what} that", error=_Fault, hint=_AGAIN, finite=True)


@contextmanager
def _about(path: Path) -> Iterator[None]:
    try:
        yield
    except _Fault as fault:
        raise BadCheckpoint(f"{path.name!r} {fault.message}.", fault.hint) from fault
    except OSError as error:
        raise BadCheckpoint(f"{str(path)!r} cannot be read: {error.strerror or error}.", "Check its rights.") from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size; what is wrong becomes BadCheckpoint."""
    with _about(path):
        if not path.is_file():
            raise BadCheckpoint(f"There is no file {str(path)!r}.", "Check the name.")
        with path.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size


def _checkpoint(content: bytes) -> Checkpoint:
    document = _header(io.BytesIO(content), len(content))
    try:
        loaded = safetensors.torch.load(content)
    except SafetensorError as error:
        raise _Fault(f"is refused by the safetensors library: {_short(str(error))}") from error
    state = {name: value.float() for name, value in sorted(loaded.items())}
    broken = [name for name, value in state.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise _Fault(f"holds values in {broken[0]!r} that are not finite numbers", "The run that made it broke down.")
    return Checkpoint(document, state)


def _header(file: BinaryIO, size: int) -> Document:
    """The document of a file of `size` bytes, once the header and the places of all tensors are right."""
    start = file.read(_LENGTH_BYTES + 1)
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    if start[_LENGTH_BYTES:] != b"{" or length < 2:
        raise _Fault("is not a safetensors file" if size else "is empty", _OTHER_KIND)
    if length > MAX_HEADER_BYTES:
        raise _Fault(f"has a header of {length:,} bytes; {MAX_HEADER_BYTES:,} are allowed", _OTHER_KIND)
    text = b"{" + file.read(length - 1)
    if len(text) < length:
        raise _Fault("ends within its header", _NOT_WHOLE)
    header = _parsed(text, "header")
    metadata = header.pop("__metadata__", None)
    described = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if not isinstance(described, str):
        raise _Fault("holds tensors, but nothing that describes them as prompts", _OTHER_KIND)
    document = _document(_parsed(described.encode("utf-8", "surrogatepass"), "description"))
    shapes = _shapes(header, size - _LENGTH_BYTES - length)
    wanted = state_shapes(document.backbone.sizes, document.shape)
    for name in sorted(wanted.keys() | shapes.keys()):
        if name not in shapes:
            raise _Fault(f"lacks the tensor {name!r}, which prompts of its shape have")
        if name not in wanted:
            raise _Fault(f"holds a tensor {_short(name)}, which prompts of its shape do not have")
        if shapes[name] != wanted[name]:
            raise _Fault(f"holds {name!r} in the shape {shapes[name]} where its description asks for {wanted[name]}")
    return document


def _shapes(entries: Mapping[str, object], present: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors, which fill the `present` bytes behind the header, each byte once."""
    shapes: dict[str, tuple[int, ...]] = {}
    spans = []
    for name, entry in entries.items():
        where = f"tensor {_short(name)}"
        tensor = fitted(entry, _Tensor, called=f"has a header whose {where}", error=_Fault, hint=_AGAIN)
        _refuse_unknown(cast("dict[str, object]", entry), _Tensor, where)
        shapes[name] = tensor.shape
        begin, end = tensor.data_offsets
        if end - begin != math.prod(tensor.shape) * _DTYPE_BYTES[tensor.dtype]:
            raise _Fault(f"gives {where} {end - begin:,} bytes, which is not its size")
        spans.append((begin, end, where))
    at = 0
    for begin, end, where in sorted(spans):
        if begin != at:
            raise _Fault(f"holds a {where} that {'overlaps another' if begin < at else 'follows a hole'}")
        at = end
    if at > MAX_TENSOR_BYTES:
        raise _Fault(f"holds {at:,} bytes of tensors; {MAX_TENSOR_BYTES:,} are allowed", _OTHER_KIND)
    if present != at:
        raise _Fault(f"has {present:,} bytes of tensors where its header promises {at:,}", _NOT_WHOLE)
    return shapes


def _document(value: dict[str, Any]) -> Document:
    version = value.pop("format", None)
    if type(version) is not int or version != FORMAT:
        is_newer = type(version) is int and version > FORMAT
        what = "was made by a newer version of this program" if is_newer else "has an unknown format version"
        raise _Fault(f"{what} (format {_short(version)}; this one reads {FORMAT})", "Update." if is_newer else _AGAIN)
    try:
        document = fitted(_plain(value), Document, called="has a description that", error=_Fault, hint=_AGAIN)
    except _Fault:
        raise
    except BadRequest as error:
        raise _Fault(f"describes a shape that cannot be: {error.message}") from error
    for part, kind in (
        (value, Document),
        (value["shape"], PromptShape),
        (value["backbone"], MadeFor),
        (value["backbone"]["sizes"], TowerSizes),
    ):
        _refuse_unknown(part, kind, "description")
    if document.shape.depth > document.backbone.sizes.layers:
        raise _Fault(f"describes prompts in {document.shape.depth} layers of {document.backbone.sizes.layers}")
    if document.shape.n_classes not in (0, len(document.classes)):
        raise _Fault("has prompts of each class's own, but does not name the classes")
    return replace(document, settings=renamed(document.settings, OLD_NAMES))


def _refuse_unknown(part: Mapping[str, object], kind: type[Any], what: str) -> None:
    for name in sorted(part.keys() - kind.__dataclass_fields__.keys() - OLD_NAMES.keys()):
        raise _Fault(f"has an unknown field {_short(name)} in its {what}")


def _plain(value: object, deep: int = 0) -> object:
    """A value of a document, its lists as tuples; raises _Fault where it nests too deeply or holds what cannot be shown."""
    if deep > _NESTED:
        raise _Fault("nests its description too deeply")
    if isinstance(value, dict):
        return {_plain(name): _plain(one, deep + 1) for name, one in value.items()}
    if isinstance(value, list):
        return tuple(_plain(one, deep + 1) for one in value)
    if isinstance(value, str) and any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in value):
        raise _Fault(f"has a description with characters that cannot be shown, {_short(value)}")
    return value


def _short(value: object) -> str:
    shown = "a list or object" if isinstance(value, list | dict) else repr(value)  # which may be nested without end
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
