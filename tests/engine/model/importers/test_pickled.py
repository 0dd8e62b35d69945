"""Strangers' torch files: tensors and plain values come out, nothing in them ever runs, and what is wrong is said in a sentence."""

from __future__ import annotations

import builtins
import copyreg
import os
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from capt_engine.errors import BadCheckpoint
from capt_engine.model.importers import pickled
from capt_engine.model.importers.pickled import Limits
from capt_engine.model.importers.reading import read_published
from tests.engine.model.importers.crafted import (
    dictionary,
    legacy,
    named,
    number,
    program,
    storage,
    tensor,
    text,
    zipped,
)

SOUND = tensor((3, 4), (4, 1))


class Calls:
    """Pickled, it is a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def refusal(path: Path, limits: Limits | None = None) -> str:
    """What is said about a file; it names the file and gives a hint."""
    with pytest.raises(BadCheckpoint) as caught:
        read_published(path, limits)
    assert path.name in caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("as_zip", [True, False])
def test_what_torch_saves_comes_out(tmp_path: Path, as_zip: bool) -> None:
    """Every type, strides, views, parameters, shared storages and scalars; optimisers and live objects stay behind."""
    whole = torch.arange(24.0).reshape(4, 6)
    state = OrderedDict(
        f32=whole,
        f16=whole.half(),
        bf16=whole.bfloat16(),
        f64=whole.double(),
        i64=torch.arange(3),
        u8=torch.arange(3, dtype=torch.uint8),
        flag=torch.tensor([True, False]),
        turned=whole.t(),
        part=whole[1:3, 2:5],
        spaced=whole[::2, ::3],
        again=whole,
        nothing=torch.zeros(0, 3),
        one=torch.tensor(2.5),
        parameter=torch.nn.Parameter(whole.clone()),
        channels=torch.arange(48.0).reshape(2, 2, 3, 4).to(memory_format=torch.channels_last),
    )
    held = {"state_dict": state, "epoch": 7, "best": 0.5, "name": "x", "none": None, "args": ["a", ("b", 2)]}
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1)
    held |= {"optimizer": optimiser.state_dict(), "scheduler": {"live": optimiser}}
    torch.save(held, tmp_path / "m.pth.tar-7", _use_new_zipfile_serialization=as_zip)
    found = read_published(tmp_path / "m.pth.tar-7")
    assert list(found.groups) == ["state_dict"]
    assert found.state.keys() == state.keys()
    for name, value in state.items():
        expected = value.detach().float() if value.is_floating_point() else value
        assert torch.equal(found.state[name], expected), name
    assert {name: found.values[name] for name in ("epoch", "best", "name", "none", "args/1/1")} == {
        "epoch": 7,
        "best": 0.5,
        "name": "x",
        "none": None,
        "args/1/1": 2,
    }


def test_a_torchscript_tree_is_a_state_dict(tmp_path: Path) -> None:
    """Modules of a TorchScript archive, as OpenAI published CLIP, become names with dots."""
    inner = named("__torch__.torch.nn", "Conv2d") + b")\x81" + dictionary(weight=SOUND) + b"b"
    outer = named("__torch__.clip", "CLIP") + b")\x81" + dictionary(conv1=inner, training=b"\x89") + b"b"
    path = zipped(tmp_path / "ViT.pt", program(outer))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/code/__torch__.py", "class CLIP:\n" * 1000)  # compressed, and never looked at
    assert list(read_published(path).state) == ["conv1.weight"]


def harmful(marker: Path) -> dict[str, Any]:
    """Objects that would leave a mark if anything of theirs ran."""
    touch = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w')"
    return {
        "os.system": Calls(os.system, touch),
        "builtins.eval": Calls(builtins.eval, code),
        "builtins.exec": Calls(builtins.exec, code),
        "builtins.open": Calls(builtins.open, str(marker), "w"),
        "builtins.getattr": Calls(builtins.getattr, os, "system")
        if False
        else Calls(builtins.__import__, "antigravity"),
        "subprocess.Popen": Calls(subprocess.Popen, ["touch", str(marker)]),
        "nested in a list": [{"deep": [Calls(os.system, touch)]}],
        "copyreg": Calls(copyreg._reconstructor, subprocess.Popen, object, None),  # type: ignore[attr-defined]
        "os.makedirs": Calls(os.makedirs, str(marker)),
    }


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_file_that_would_run_something_is_refused(tmp_path: Path, as_zip: bool) -> None:
    """Calls of the system, of eval, of anything in the standard library: refused by name, in a sentence, and nothing ran."""
    marker = tmp_path / "it-ran"
    for name, bad in harmful(marker).items():
        for held in ({"state_dict": {"ctx": torch.ones(2, 3), "x": bad}}, {"ctx": torch.ones(2, 3), "optimizer": bad}):
            path = tmp_path / "evil.pt"
            torch.save(held, path, _use_new_zipfile_serialization=as_zip)
            told = refusal(path)
            assert "no business in a checkpoint" in told, name
            assert "nothing was run" in told
            assert not marker.exists(), name


@pytest.mark.parametrize(
    "opcodes",
    [
        b"(ios\nsystem\n",
        b"(" + named("posix", "system") + text("x") + b"o",
        text("os") + text("system") + b"\x93",
        named("os", "system") + b"(" + text("x") + b"tR",
        named("os", "system") + b")\x81",
        named("os", "system") + b")}\x92",
        named("nt", "system"),
        named("os.path", "join"),
        named("__builtin__", "eval"),
        named("builtins", "getattr"),
        named("_codecs", "lookup"),
        named("sys", "modules"),
        named("importlib", "import_module"),
        named("ctypes", "CDLL"),
        named("runpy", "_run_code"),
        named("pickle", "loads"),
        named("timeit", "timeit"),
    ],
)
def test_every_way_to_name_something_is_watched(tmp_path: Path, opcodes: bytes) -> None:
    """INST, OBJ, STACK_GLOBAL, NEWOBJ and plain names lead to the same refusal, under old names too."""
    path = zipped(tmp_path / "evil.pt", program(dictionary(ctx=SOUND, x=opcodes)))
    assert "no business" in refusal(path)


def test_a_class_of_another_library_is_a_dead_thing(tmp_path: Path) -> None:
    """What is not of the standard library becomes a stand-in: not imported, not called, not given its state."""
    marker = tmp_path / "it-ran"
    (tmp_path / "evil_module.py").write_text(f"open({str(marker)!r}, 'w')", "utf-8")
    call = named("evil_module", "run") + b"(" + text("x") + b"tR" + dictionary(a=number(1)) + b"b"
    path = zipped(tmp_path / "m.pt", program(dictionary(ctx=SOUND, x=call, y=named("torch.hub", "load"))))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(tmp_path)
    try:
        assert list(read_published(path).state) == ["ctx"]
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    assert not marker.exists()


def test_containers_that_lie_are_refused(tmp_path: Path) -> None:
    """Compressed entries, bombs, doubled names, broken checksums, another archive, an encrypted one, one that is cut off."""
    good = program(dictionary(ctx=SOUND))
    path = tmp_path / "m.pt"
    assert "compressed" in refusal(zipped(path, good, compress=True))
    bomb = {"0": bytes(50_000_000)}
    assert "compressed" in refusal(zipped(path, good, bomb, compress=True))
    assert path.stat().st_size < 100_000
    zipped(path, good)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/data/0", bytes(48))
    assert "twice" in refusal(path)
    zipped(path, good)
    content = bytearray(path.read_bytes())
    at = content.index(b"archive/data/0") + len(b"archive/data/0") + 5
    content[at] ^= 1
    path.write_bytes(content)
    assert "checksum" in refusal(path)
    assert "not one that torch wrote" in refusal(zipped(path, good, root="x/y"))
    zipped(path, good)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in refusal(path)
    zipped(path, good)
    path.write_bytes(path.read_bytes()[:-30])
    assert "damaged" in refusal(path)
    path.write_bytes(b"")
    assert "empty" in refusal(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    assert "git LFS" in refusal(path)
    path.write_bytes(bytes(257) + b"ustar" + bytes(300))
    assert "tar archive" in refusal(path)


def test_entries_that_overlap_are_refused(tmp_path: Path) -> None:
    """Two names for the same bytes: what makes a small archive unpack to a large one."""
    path = zipped(tmp_path / "m.pt", program(dictionary(ctx=SOUND)), {"0": bytes(48), "1": bytes(48)})
    content = bytearray(path.read_bytes())
    places = [content.rindex(f"archive/data/{key}".encode()) - 46 for key in "01"]
    content[places[1] + 42 : places[1] + 46] = content[places[0] + 42 : places[0] + 46]
    path.write_bytes(content)
    assert any(word in refusal(path) for word in ("overlap", "damaged"))


@pytest.mark.parametrize(
    ("described", "told"),
    [
        (tensor((1 << 40, 1 << 40), (1, 1)), "there are 12"),
        (tensor((3, 5), (5, 1)), "there are 12"),
        (tensor((1 << 20,), (0,)), "there are 12"),
        (tensor((3, 4), (4, 1), offset=1), "there are 12"),
        (tensor((3, 4), (4, 1), count=13), "promises 13"),
        (tensor((3, 4), (4, 1), key="7"), "lacks the values"),
        (tensor((3, 4), (4, 1), count=1 << 60), "absurd"),
        (tensor((-3, 4), (4, 1)), "absurd"),
        (tensor((3, 4), (4,)), "sound shape"),
        (tensor((1,) * 17, (1,) * 17), "sound shape"),
        (tensor((3, 4), (4, 1), kind="ComplexFloatStorage"), "not supported"),
        (tensor((3, 4), (4, 1), kind="QInt8Storage"), "not supported"),
        (tensor((3, 4), (4, 1), key="../../etc/passwd"), "lacks the values"),
        (named("torch._utils", "_rebuild_tensor_v2") + b"(" + number(1) * 5 + b"tR", "without its storage"),
        (b"(" + text("storage") + text("x") + b"tQ", "outside itself"),
        (b"(" + text("module") + named("torch", "X") + text("0") + text("cpu") + number(1) + b"tQ", "outside itself"),
        (storage(), "no tensors"),
        (number(1), "no tensors"),
        (b"0000", "more than it has put down"),
        (b"h\x05", "never made"),
        (b"1e", "never begun"),
        (number(1) + number(2) + b"a", "no list"),
        (number(1) + number(2) + b"R", "no function"),
        (b"P0\n", "no checkpoint needs"),
    ],
)
def test_tensors_that_lie_are_refused(tmp_path: Path, described: bytes, told: str) -> None:
    """Sizes beyond the values, storages that are not there, ids that point elsewhere, a stack that underflows."""
    assert told in refusal(zipped(tmp_path / "m.pt", program(dictionary(ctx=described))))


def test_small_files_that_would_grow_large_are_refused(tmp_path: Path) -> None:
    """Many tensors over one storage, lists that hold each other, keys whose hash takes years, a memo of billions, endless nesting."""
    path = tmp_path / "m.pt"
    shared = dictionary(**{f"t{i}": SOUND for i in range(200)})
    assert "bytes of tensors" in refusal(zipped(path, program(shared)), Limits(total_bytes=200 * 48 - 1))
    assert "more than 100 tensors" in refusal(zipped(path, program(shared)), Limits(tensors=100))
    laughs = b"]q\x00" + b"".join(
        b"](" + b"h" + bytes([i]) * 1 + (b"h" + bytes([i])) * 9 + b"eq" + bytes([i + 1]) for i in range(60)
    )
    assert list(read_published(zipped(path, program(dictionary(ctx=SOUND, x=laughs)))).state) == ["ctx"]
    key = b")q\x000" + b"".join(
        b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) + b"0" for i in range(60)
    )
    read_published(zipped(path, program(key + b"}h\x3c" + SOUND + b"s")))
    read_published(zipped(path, program(dictionary(ctx=SOUND, x=number(1) + b"r" + b"\xff\xff\xff\xff"))))
    deep = b"]" * 200_000 + b"a" * 199_999
    read_published(zipped(path, program(dictionary(ctx=SOUND, x=deep))))
    cycle = b"]q\x00h\x00a"
    read_published(zipped(path, program(dictionary(ctx=SOUND, x=cycle))))
    long = program(dictionary(ctx=SOUND, x=text("x" * 100_000)))
    assert "are allowed" in refusal(zipped(path, long), Limits(pickle_bytes=50_000))
    assert "are allowed" in refusal(zipped(path, long), Limits(file_bytes=50_000))
    assert "entries" in refusal(zipped(path, long, {str(i): b"" for i in range(60)}), Limits(entries=50))


def test_the_old_container_is_bounded_too(tmp_path: Path) -> None:
    """A pickle that is not torch's, storages that are not listed, counts beyond the end of the file."""
    path, good = tmp_path / "m.pt", program(dictionary(ctx=SOUND))
    assert list(read_published(legacy(path, good)).state) == ["ctx"]
    assert "no tensor uses" in refusal(legacy(path, good, {"9": bytes(48)}))
    assert "promises 12" in refusal(legacy(path, good, {"0": bytes(44)}))
    content = legacy(path, good).read_bytes()
    path.write_bytes(content[:-48] + bytes(10))
    assert "ends within" in refusal(path)
    path.write_bytes(content[:-56] + (1 << 62).to_bytes(8, "little") + bytes(48))
    assert "ends within" in refusal(path)
    path.write_bytes(program(dictionary(ctx=number(1))))
    assert "not one that torch wrote" in refusal(path)
    path.write_bytes(program(named("os", "system") + b"(" + text("x") + b"tR"))
    assert "no business" in refusal(path)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    """Values that are not finite are found before anything is made of them."""
    torch.save({"ctx": torch.tensor([1.0, float("nan")])}, tmp_path / "m.pt")
    assert "not finite" in refusal(tmp_path / "m.pt")


def test_a_reader_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time the process is ended, and that is said."""
    monkeypatch.setattr("capt_engine.model.importers.reading._SPARE_S", 0.01)
    torch.save({"ctx": torch.ones(2)}, tmp_path / "m.pt")
    assert "took longer" in refusal(tmp_path / "m.pt", replace(Limits(), seconds=0))


@pytest.mark.parametrize(
    "deed",
    [
        "open('/etc/passwd')",
        "open(sys.argv[1], 'w')",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "import json.tool",
        "import socket",
        "eval('1')",
        "os.remove(sys.argv[1])",
        "__import__('antigravity')",
    ],
)
def test_the_reader_can_do_nothing_else(tmp_path: Path, deed: str) -> None:
    """Once shut in, the process ends at the first attempt to open, import, start, delete or connect anything."""
    bait = tmp_path / "bait"
    bait.write_text("still here", "utf-8")
    code = compile(deed, "deed", "exec")
    script = (
        "import os, sys, marshal; from capt_engine.model.importers import pickled; "
        f"code = marshal.loads({__import__('marshal').dumps(code)!r}); pickled._shut_in(pickled.Limits())\n"
        "try:\n    exec(code)\nexcept ImportError:\n    os._exit(86)\nos._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(bait)], capture_output=True, check=False)
    assert done.returncode == 86, done.stderr
    assert bait.read_text("utf-8") == "still here"


def test_the_reader_loads_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that reads strangers' files begins with next to nothing."""
    # Where lines are counted, whoever counts them loads more.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    script = (
        "import sys; from capt_engine.model.importers import pickled; "
        "print(sorted({'torch', 'numpy', 'safetensors', 'socket'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
    assert pickled.__doc__
