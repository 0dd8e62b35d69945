"""Prompts on disk: what is saved comes back bit for bit, and whatever is wrong with a file is said in a sentence."""

from __future__ import annotations

import json
import os
import random
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import safetensors.torch
import torch
from safetensors.torch import save_file
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest, CannotWrite
from capt_engine.model.checkpoints import Document, MadeFor, load, read, read_document, save
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import COUPLINGS, Prompts, PromptShape, TowerSizes, state_shapes
from capt_engine.model.text import class_features, encode_tokens
from capt_engine.model.vision import encode_pixels

Header = dict[str, Any]


@pytest.fixture
def prompts(tiny_backbone: Backbone) -> Prompts:
    """Prompts of the default coupling in both layers of the tiny CLIP."""
    return drawn(tiny_backbone, "vision_to_text")


@pytest.fixture
def document(tiny_backbone: Backbone) -> Document:
    """A document that uses every field and every kind of value."""
    return Document(
        method="capt",
        backbone=MadeFor.of(tiny_backbone),
        shape=PromptShape("vision_to_text", 3, 2),
        template="a photo of a {}.",
        classes=("a cube", "ein Würfel", "立方体"),
        settings={
            "lambda_": 2.5,
            "alpha": "label_prob",
            "detach_clean": False,
            "steps": 96,
            "milestones": (1, 2),
            "x": None,
        },
        data="few-shot:16:0123abcd",
        seed=1,
        versions={"torch": "2.6"},
        figures={"clean": {"value": 0.1 + 0.2, "n": 600}, "robust": None},
        notes="made in a test\nin two lines",
        licence="CC0-1.0",
    )


@pytest.fixture
def file(tmp_path: Path, prompts: Prompts, document: Document) -> Path:
    """The two, saved."""
    save(tmp_path / "p.safetensors", prompts, document)
    return tmp_path / "p.safetensors"


def drawn(backbone: Backbone, coupling: str, depth: int = 2) -> Prompts:
    """Random prompts of length 3."""
    stream = torch.Generator().manual_seed(0)
    return Prompts(backbone, PromptShape(coupling, 3, depth), torch.randn(3, 32, generator=stream) * 0.02, stream)


def rewritten(file: Path, change: Callable[[Header], object] = lambda _: None, body: bytes | None = None) -> Path:
    """The file with its header changed in place, and perhaps another body."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    return put(file, json.dumps(header).encode(), content[8 + length :] if body is None else body)


def redescribed(file: Path, change: Callable[[Header], object]) -> Path:
    """The file with its document changed."""

    def inside(header: Header) -> None:
        described = json.loads(header["__metadata__"]["capt_prompts"])
        change(described)
        header["__metadata__"]["capt_prompts"] = json.dumps(described)

    return rewritten(file, inside)


def put(file: Path, header: bytes, body: bytes = b"") -> Path:
    """A file of this header and body."""
    file.write_bytes(struct.pack("<Q", len(header)) + header + body)
    return file


def refusal(file: Path) -> str:
    """What `read` says about a file; it names the file and gives a hint."""
    with pytest.raises(BadCheckpoint) as caught:
        read(file)
    assert file.name in caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_what_is_saved_comes_back(
    tiny_backbone: Backbone,
    tmp_path: Path,
    document: Document,
    pixels: Callable[..., Tensor],
    coupling: str,
    depth: int,
) -> None:
    """Document, parameters and the prompted features of both towers come back bit for bit, and no random number is drawn."""
    prompts = drawn(tiny_backbone, coupling, depth)
    document = replace(document, shape=prompts.shape)
    save(tmp_path / "p.safetensors", prompts, document)
    before = torch.get_rng_state()
    loaded, said = load(tmp_path / "p.safetensors", tiny_backbone)
    assert torch.equal(torch.get_rng_state(), before)
    assert said == read_document(tmp_path / "p.safetensors") == document
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    ours, theirs = prompts.state_dict(), loaded.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    images, ids = pixels(2), tiny_backbone.tokenize(["a photo of a cube", "a photo of a small mug"])
    one, other = prompts(), loaded()
    assert torch.equal(
        encode_pixels(tiny_backbone, images, one.vision), encode_pixels(tiny_backbone, images, other.vision)
    )
    assert torch.equal(encode_tokens(tiny_backbone, ids, one.text), encode_tokens(tiny_backbone, ids, other.text))


def test_the_same_content_is_the_same_file(tmp_path: Path, prompts: Prompts, document: Document) -> None:
    """Two saves are byte-identical, in whatever order the settings were given, under one metadata key, with nothing else left behind."""
    save(tmp_path / "a", prompts, document)
    save(tmp_path / "b", prompts, replace(document, settings=dict(reversed(list(document.settings.items())))))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    with safetensors.safe_open(tmp_path / "a", "pt") as opened:
        assert list(opened.metadata()) == ["capt_prompts"]


def test_prompts_move_to_other_class_names(tiny_backbone: Backbone, file: Path) -> None:
    """The names they were tuned on are information: the loaded tokens stand before any others."""
    prompts, document = load(file, tiny_backbone)
    assert "a donut" not in document.classes
    ids = tiny_backbone.tokenize(["a photo of a donut.", "a photo of a star."])
    prompted = encode_tokens(tiny_backbone, ids, prompts().text)
    assert prompted.shape == class_features(tiny_backbone, ["donut", "star"]).shape
    assert bool(torch.isfinite(prompted).all())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_fp32(
    tiny_backbone: Backbone, file: Path, prompts: Prompts, dtype: torch.dtype
) -> None:
    """fp16 and bf16 values come back as the same values in fp32."""
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    halves = {name: value.to(dtype) for name, value in prompts.state_dict().items()}
    save_file(halves, file, metadata)
    loaded = load(file, tiny_backbone)[0].state_dict()
    assert {value.dtype for value in (*loaded.values(), *read(file).state.values())} == {torch.float32}
    assert all(torch.equal(loaded[name], halves[name].float()) for name in loaded)


def test_the_document_is_read_without_the_tensors(file: Path, document: Document, monkeypatch: Any) -> None:
    """`read_document` opens the header only: broken values do not stop it, and the library is not asked."""
    body = len(file.read_bytes()) - 8 - struct.unpack("<Q", file.read_bytes()[:8])[0]
    rewritten(file, body=b"\xff" * body)
    monkeypatch.setattr(safetensors.torch, "load", None)
    assert read_document(file) == document


def foreign(backbone: Backbone, sizes: TowerSizes | None = None) -> Document:
    """A document for a model of another hash and perhaps other sizes."""
    made_for = MadeFor("theirs", "f" * 64, sizes or TowerSizes.of(backbone))
    return Document("capt", made_for, PromptShape("text_only", 3, 1), "a {}.")


def test_another_backbone_is_refused(tiny_backbone: Backbone, tmp_path: Path) -> None:
    """Other weights of the same sizes are refused, naming both, unless that is allowed."""
    file = tmp_path / "p.safetensors"
    save(file, drawn(tiny_backbone, "text_only", 1), foreign(tiny_backbone))
    with pytest.raises(BadCheckpoint, match=r"'theirs' .*ffff…\); this model is 'local-dir:tiny-clip.*other weights"):
        load(file, tiny_backbone)
    assert load(file, tiny_backbone, allow_other_backbone=True)[1].backbone.id == "theirs"


@pytest.mark.parametrize("name", ["embed_dim", "vision_width", "layers"])
def test_other_sizes_are_refused_even_when_weights_may_differ(
    tiny_backbone: Backbone, tmp_path: Path, name: str
) -> None:
    """Another size is refused in any case, and the sentence says which numbers differ."""
    sizes = replace(TowerSizes.of(tiny_backbone), **{name: 77})
    file = tmp_path / "p.safetensors"
    save(file, drawn(tiny_backbone, "text_only", 1), foreign(tiny_backbone, sizes))
    with pytest.raises(BadCheckpoint, match=f"{name.replace('_', ' ')} 77.*other sizes"):
        load(file, tiny_backbone, allow_other_backbone=True)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("demo", "demo"),
        ("local-dir:/somewhere/private/clip/", "local-dir:clip"),
        ("/somewhere/private/clip", "clip"),
        (r"C:\private\clip", "clip"),
        ("ViT-B-32:openai@/private/a@b/w.safetensors", "ViT-B-32:openai@w.safetensors"),
        ("hf-hub:owner/name", "hf-hub:owner/name"),
    ],
)
def test_a_document_names_no_private_folder(tiny_backbone: Backbone, own: str, said: str) -> None:
    """Of a path in the backbone's id the last name is kept; ids that are no paths stay whole."""
    assert MadeFor.of(replace(tiny_backbone, id=own)).id == said


def test_a_model_without_such_towers_is_refused(tiny_backbone: Backbone) -> None:
    """A backbone that cannot take prompts is a BadRequest."""
    with pytest.raises(BadRequest, match="ViT"):
        MadeFor.of(replace(tiny_backbone, clip=SimpleNamespace(visual=object())))


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"hello, this is no model", "not a safetensors file"),
    "pickle": (b"PK\x03\x04" + bytes(60), "not a safetensors file"),
    "short": (b"\x02\0\0", "not a safetensors file"),
    "no header": (struct.pack("<Q", 0) + b"{}", "not a safetensors file"),
    "long header": (struct.pack("<Q", 1_000_001) + b"{" + b" " * 1_000_000, "header of 1,000,001 bytes"),
    "endless header": (struct.pack("<Q", 2**63) + b"{}", "header of 9,223,372"),
    "cut header": (struct.pack("<Q", 100) + b'{"a":', "ends within its header"),
    "no JSON": (struct.pack("<Q", 6) + b"{none}", "header that is not sound JSON"),
    "no UTF-8": (struct.pack("<Q", 9) + b'{"\xff":"a"}', "header that is not sound JSON"),
    "a key twice": (struct.pack("<Q", 13) + b'{"a":1,"a":2}', "header that is not sound JSON"),
    "bottomless": (struct.pack("<Q", 90_005) + b'{"a":' + b"[" * 90_000, "header that is nested too deeply"),
    "undescribed": (struct.pack("<Q", 2) + b"{}", "nothing that describes them as prompts"),
    "list metadata": (struct.pack("<Q", 19) + b'{"__metadata__":[]}', "nothing that describes them as prompts"),
}


@pytest.mark.parametrize("case", FILES)
def test_what_is_no_prompts_file_is_refused(tmp_path: Path, case: str) -> None:
    """Files that are something else, or cut short, each get their sentence."""
    content, sentence = FILES[case]
    (tmp_path / "x.safetensors").write_bytes(content)
    assert sentence in refusal(tmp_path / "x.safetensors")


def entry(header: Header, **values: object) -> None:
    """Change what the header says about the first text layer."""
    header["context"].update(values)


def place(header: Header, by: int) -> None:
    """Move the last tensor in the file by some bytes."""
    last = max((one for name, one in header.items() if name != "__metadata__"), key=lambda one: one["data_offsets"][1])
    last["data_offsets"] = [at + by for at in last["data_offsets"]]


HEADERS: dict[str, tuple[Callable[[Header], object], str]] = {
    "unknown tensor": (lambda h: h.update({"ctx": h.pop("context")}), "lacks the tensor 'context'"),
    "missing tensor": (lambda h: h.pop("context"), "holds a tensor|follows a hole|bytes of tensors"),
    "float64": (lambda h: entry(h, dtype="F64"), "dtype: invalid enum value 'F64'"),
    "odd dtype": (lambda h: entry(h, dtype=["F32"]), "dtype: expected `str`, got `array`"),
    "transposed": (lambda h: entry(h, shape=[32, 3]), r"'context' in the shape \(32, 3\) where .* asks for \(3, 32\)"),
    "flat": (lambda h: entry(h, shape=[96]), r"'context' in the shape \(96,\)"),
    "wrong size": (lambda h: entry(h, shape=[3, 31]), "which is not its size"),
    "zero size": (lambda h: entry(h, shape=[0, 32], data_offsets=[0, 0]), "expected `int` >= 1"),
    "negative": (lambda h: entry(h, shape=[-3, -32]), "expected `int` >= 1"),
    "true": (lambda h: entry(h, shape=[True, 96]), "expected `int`, got `bool`"),
    "no numbers": (lambda h: entry(h, data_offsets=["0", "384"]), "expected `int`, got `str`"),
    "one offset": (lambda h: entry(h, data_offsets=[0]), "expected `array` of length 2"),
    "many dimensions": (lambda h: entry(h, shape=[1] * 5000 + [3, 32]), "expected `array` of length <= 8"),
    "backwards": (lambda h: entry(h, data_offsets=h["context"]["data_offsets"][::-1]), "-384 bytes"),
    "extra field": (lambda h: entry(h, strides=[1]), "unknown field 'strides' in its tensor 'context'"),
    "no field": (lambda h: h["context"].pop("dtype"), "tensor 'context' .* missing required field `dtype`"),
    "no entry": (lambda h: h.update(context=7), "expected `object`, got `int`"),
    "overlap": (lambda h: place(h, -4), "overlaps another"),
    "hole": (lambda h: place(h, 4), "follows a hole"),
    "too large": (
        lambda h: h.update(z={"dtype": "F16", "shape": [32_000_000], "data_offsets": [end(h), end(h) + 64_000_000]}),
        "64,000,000 are allowed",
    ),
    "described twice": (lambda h: h["__metadata__"].update(more=3), "refused by the safetensors library"),
    "no document": (lambda h: h["__metadata__"].update(capt_prompts="{"), "description that is not sound JSON"),
    "a list": (lambda h: h["__metadata__"].update(capt_prompts="[]"), "description that does not hold what it should"),
    "other key": (lambda h: h.update(__metadata__={"format": "pt"}), "nothing that describes them as prompts"),
    "surrogates": (lambda h: h["__metadata__"].update(capt_prompts='"\ud800"'), "description that is not sound JSON"),
}


def end(header: Header) -> int:
    """Where the last tensor ends."""
    return max(int(one["data_offsets"][1]) for name, one in header.items() if name != "__metadata__")


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_is_wrong_is_refused(file: Path, case: str) -> None:
    """Each fault of names, types, shapes and places gets its sentence."""
    change, sentence = HEADERS[case]
    message = refusal(rewritten(file, change))
    assert re.search(sentence, message), message


def test_a_file_of_another_depth_lacks_or_exceeds_its_tensors(
    tiny_backbone: Backbone, file: Path, document: Document
) -> None:
    """Tensors that the described shape does not have, and those that it has and the file has not, are named."""
    assert "holds a tensor 'deep_vision.0', which" in refusal(redescribed(file, lambda d: d["shape"].update(depth=1)))
    shallow = replace(document, shape=PromptShape("vision_to_text", 3, 1))
    save(file, drawn(tiny_backbone, "vision_to_text", 1), shallow)
    assert "lacks the tensor 'deep_vision.0'" in refusal(redescribed(file, lambda d: d["shape"].update(depth=2)))


DOCUMENTS: dict[str, tuple[Callable[[Header], object], str]] = {
    "newer": (lambda d: d.update(format=2), r"made by a newer version of this program \(format 2; this one reads 1\)"),
    "older": (lambda d: d.update(format=0), "unknown format version"),
    "no version": (lambda d: d.pop("format"), "unknown format version"),
    "true version": (lambda d: d.update(format=True), "unknown format version"),
    "missing": (lambda d: d.pop("template"), "missing required field `template`"),
    "unknown": (lambda d: d.update(colour="red"), "unknown field 'colour'"),
    "method": (lambda d: d.update(method=3), "method: expected `str`"),
    "escape": (lambda d: d.update(notes="\x1b[2J"), "characters that cannot be shown"),
    "surrogate": (lambda d: d.update(licence="\ud800"), "characters that cannot be shown"),
    "hash": (lambda d: d["backbone"].update(sha256="abc"), "backbone.sha256: expected `str` matching"),
    "sizes": (lambda d: d["backbone"].update(sizes=[16, 32]), "backbone.sizes: expected `object`"),
    "width": (lambda d: d["backbone"]["sizes"].update(text_width=1e9), "text_width: expected `int`, got `float`"),
    "endless width": (lambda d: d["backbone"]["sizes"].update(text_width=10**4000), "`int` <= 65536"),
    "coupling": (lambda d: d["shape"].update(coupling="sideways"), "cannot be: There is no coupling called"),
    "length": (lambda d: d["shape"].update(n_ctx=10**12), "n_ctx: expected `int` <= 1024"),
    "depth": (lambda d: d["shape"].update(depth=3), "prompts in 3 layers of 2"),
    "template": (lambda d: d.update(template="a photo"), "template: expected `str` matching"),
    "placeholder": (lambda d: d.update(placeholder="Y"), "placeholder: invalid enum value 'Y'"),
    "classes": (lambda d: d.update(classes={"a": 1}), "classes: expected `array`"),
    "class": (lambda d: d["classes"].append(None), "classes.* expected `str`, got `null`"),
    "seed": (lambda d: d.update(seed=-1), "seed: expected `int` >= 0"),
    "settings": (lambda d: d.update(settings=[1]), "settings: expected `object`"),
    "versions": (lambda d: d.update(versions={"torch": 2}), "versions.* expected `str`, got `int`"),
    "figures": (lambda d: d.update(figures={"clean": float("nan")}), "NaN is not a finite number"),
    "nested": (lambda d: d.update(figures={"a": nest(20)}), "nests its description too deeply"),
}


def nest(depth: int) -> object:
    """Lists in lists."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_document_that_is_wrong_is_refused(file: Path, case: str) -> None:
    """No type or range in the document is taken on trust."""
    change, sentence = DOCUMENTS[case]
    message = refusal(redescribed(file, change))
    assert re.search(sentence, message), message
    with pytest.raises(BadCheckpoint):
        read_document(file)


def test_bytes_that_lack_or_are_left_over_are_refused(file: Path) -> None:
    """A body that is shorter or longer than the header promises is refused, also by the header's reader."""
    whole = file.read_bytes()
    for content in (whole[:-1], whole + b"\0"):
        file.write_bytes(content)
        assert "bytes of tensors where its header promises" in refusal(file)
        with pytest.raises(BadCheckpoint):
            read_document(file)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_neither_saved_nor_loaded(
    tmp_path: Path, file: Path, prompts: Prompts, document: Document, value: float
) -> None:
    """One such value is named by tensor, in reading and before anything is written."""
    content = file.read_bytes()
    file.write_bytes(content[:-4] + struct.pack("<f", value))
    assert "are not finite numbers" in refusal(file)
    with torch.no_grad():
        prompts.get_parameter("to_text.0.weight")[0, 0] = value
    with pytest.raises(BadCheckpoint, match=r"'to_text\.0\.weight' that are not finite"):
        save(tmp_path / "new.safetensors", prompts, document)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_nothing_is_saved_that_could_not_be_loaded(tmp_path: Path, prompts: Prompts, document: Document) -> None:
    """A document with a figure that is no number, or too long for a header, is refused; one of another shape is a bug."""
    with pytest.raises(BadCheckpoint, match="not a finite number"):
        save(tmp_path / "p", prompts, replace(document, figures={"clean": float("nan")}))
    with pytest.raises(BadCheckpoint, match="header of"):
        save(tmp_path / "p", prompts, replace(document, notes="x" * 1_000_000))
    with pytest.raises(ValueError, match="text_only"):
        save(tmp_path / "p", prompts, replace(document, shape=PromptShape("text_only", 3, 2)))
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_read_or_written_are_sentences(
    tmp_path: Path, prompts: Prompts, document: Document
) -> None:
    """A missing file, a folder, and a file where a folder should be."""
    with pytest.raises(BadCheckpoint, match="There is no file"):
        read_document(tmp_path / "none")
    with pytest.raises(BadCheckpoint, match="There is no file"):
        read(tmp_path)
    (tmp_path / "none").write_text("in the way")
    with pytest.raises(CannotWrite, match="a file stands where a folder should"):
        save(tmp_path / "none" / "p", prompts, document)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_crash_before_the_replacement_leaves_the_old_file(
    file: Path, prompts: Prompts, document: Document, monkeypatch: Any, error: BaseException
) -> None:
    """What stood there stands there still, byte for byte, whether the system refuses or the program is stopped."""
    before = file.read_bytes()
    seen = []

    def crash(source: Any, target: Any) -> None:
        seen.append((Path(source).parent == Path(target).parent, Path(source).read_bytes()))
        raise error

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(CannotWrite if isinstance(error, OSError) else KeyboardInterrupt):
        save(file, prompts, replace(document, notes="newer"))
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]
    assert [same_folder for same_folder, _ in seen] == [True]
    assert seen[0][1] != before


def test_a_file_of_the_users_beside_it_is_let_be(file: Path, prompts: Prompts, document: Document) -> None:
    """Something called like the file with .part behind it is not ours: the temporary file has a name of its own."""
    own = file.with_name(file.name + ".part")
    own.write_bytes(b"mine")
    save(file, prompts, document)
    assert read_document(file) == document
    assert own.read_bytes() == b"mine"


def test_blank_prompts_have_the_sizes_of_drawn_ones(tiny_backbone: Backbone) -> None:
    """For every coupling and depth the blank has the names and shapes of the drawn prompts, and towers may differ in width."""
    sizes = MadeFor.of(tiny_backbone).sizes
    for coupling in COUPLINGS:
        for depth in (1, 2):
            model = drawn(tiny_backbone, coupling, depth)
            shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
            assert state_shapes(sizes, model.shape) == shapes
            blank = Prompts.blank(sizes, model.shape).state_dict()
            assert {name: tuple(value.shape) for name, value in blank.items()} == shapes
    for coupling in COUPLINGS:
        uneven = Prompts.blank(TowerSizes(4, 8, 12, 3), PromptShape(coupling, 2, 3))
        shapes = {name: tuple(value.shape) for name, value in uneven.state_dict().items()}
        assert state_shapes(TowerSizes(4, 8, 12, 3), uneven.shape) == shapes
        assert [tuple(t.shape) for t in uneven().text] == [(2, 8)] * 3 * uneven.shape.has_text
        assert [tuple(v.shape) for v in uneven().vision] == [(2, 12)] * 3 * (coupling != "text_only")


def test_mutated_files_are_read_or_refused(tiny_backbone: Backbone, file: Path) -> None:
    """600 seeded mutations of header and body end in prompts with finite values or in BadCheckpoint, never in anything else."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    draw = random.Random(0)
    tokens = [b"{", b"}", b"[", b"]", b'"', b"-", b"0", b"9" * 30, b"1e999", b"null", b"\\ud800", b"NaN", b",", b"\xff"]
    refused = 0
    for turn in range(600):
        mutated = bytearray(content)
        for _ in range(draw.choice((1, 1, 2, 5))):
            at = draw.randrange(8 if turn % 8 == 0 else 8 + length if turn % 8 < 6 else len(mutated))
            match draw.randrange(4):
                case 0:
                    mutated[at : at + 1] = draw.choice([bytes([draw.randrange(256)]), *tokens])
                case 1:
                    del mutated[at : at + draw.randrange(1, 40)]
                case 2:
                    mutated[at:at] = mutated[at : at + draw.randrange(1, 40)]
                case 3 if at < len(mutated):
                    mutated[at] ^= 1 << draw.randrange(8)
        if turn % 3 == 0 and len(mutated) > 8:  # keep the length true, so that what lies deeper is reached
            mutated[:8] = struct.pack("<Q", max(0, length + len(mutated) - len(content)))
        file.write_bytes(mutated)
        try:
            prompts, _ = load(file, tiny_backbone, allow_other_backbone=True)
        except BadCheckpoint:
            refused += 1
        else:
            assert all(bool(torch.isfinite(value).all()) for value in prompts.state_dict().values())
    assert 300 < refused < 600
