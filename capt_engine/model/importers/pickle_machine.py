"""Pickle's machine language read as data: no name is ever imported, nothing is ever called.

A pickle is a program; Python's own unpickler runs it, and that program may do anything. Here its opcodes are taken apart by
`pickletools` and followed on a stack of plain values. What names a class or function becomes an `Inert` stand-in; calling one gives
another stand-in, except for the few constructors that torch.save writes, whose arguments are noted down as a `TensorAt`.

Uses nothing but the standard library, so that the process that reads a stranger's file need load nothing else.
"""

from __future__ import annotations

import pickletools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

MAX_OPCODES = 3_000_000
MAX_DIMENSIONS = 16
_DAMAGED = "The file is damaged or was made to do harm; get it again from where its authors put it."

# Element sizes in bytes by the names that safetensors gives them.
SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_STORAGES = {
    "Double": "F64", "Float": "F32", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Int": "I32", "Short": "I16",
    "Char": "I8", "Byte": "U8", "Bool": "BOOL",
}  # fmt: skip
_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32", "int16": "I16",
    "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip

# What training states of the field do name in the standard library; all of it stays inert but OrderedDict.
_HARMLESS = {
    "collections": {"OrderedDict", "defaultdict", "Counter", "deque"},
    "builtins": {"set", "frozenset", "list", "dict", "tuple", "int", "float", "bool", "str", "bytes", "bytearray", "complex", "slice",
                 "range", "object"},
    "copyreg": {"_reconstructor"},
    "_codecs": {"encode"},
    "argparse": {"Namespace"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "pathlib": {"Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"},
}  # fmt: skip
_STANDARD = sys.stdlib_module_names | {"__builtin__", "__builtins__", "posix", "nt", "commands", "copy_reg", "os2"}
_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class Refused(Exception):
    """A file that is not read; `what` is the rest of a sentence that begins with its name."""

    def __init__(self, what: str, hint: str = _DAMAGED) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


class Inert:
    """Stands where a pickle names or makes an object of some class; `state` is what the object was to be filled with."""

    __slots__ = ("name", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: object = None


@dataclass(frozen=True)
class Storage:
    """A run of `count` values of one type; `start` is where a view into another one begins. dtype "" is said by the tensor."""

    key: str
    dtype: str
    count: int
    start: int = 0


@dataclass(frozen=True)
class TensorAt:
    """The place of a tensor's values in a storage: offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str


class _Mark:
    """The beginning of a group of values on the stack."""


def load(file: BinaryIO, types: dict[str, str] | None = None) -> object:
    """Read one pickle from an open file without running anything in it.

    The result is made of dicts, lists, tuples and plain values; a tensor becomes a TensorAt (the place of its values in
    the file), any other object an Inert, which does nothing. Reading ends behind the pickle's STOP. types: a dictionary
    that is filled with the element type of each storage that is mentioned, by its key. Raises Refused for a damaged or
    unreasonable pickle.
    """
    return _Machine({} if types is None else types).run(file)


class _Machine:
    def __init__(self, types: dict[str, str]) -> None:
        self.types = types
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: BinaryIO) -> object:
        for count, (opcode, argument, _) in enumerate(_opcodes(file)):
            if count > MAX_OPCODES:
                raise Refused("is a pickle of more steps than any checkpoint needs")
            if opcode.name == "STOP":
                return self.pop()
            step = _STEPS.get(opcode.name)
            if step is None:
                raise Refused(f"uses the pickle instruction {opcode.name}, which no checkpoint needs")
            step(self, argument)
        raise Refused("holds a pickle without an end")

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is _Mark:
            raise Refused("holds a pickle that takes more than it has put down")
        return self.stack.pop()

    def top(self) -> Any:
        value = self.pop()
        self.stack.append(value)
        return value

    def popped(self) -> list[Any]:
        """Everything above the last mark, which goes too."""
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is _Mark:
                values = self.stack[at + 1 :]
                del self.stack[at:]
                return values
        raise Refused("holds a pickle with a group that was never begun")

    def push(self, value: object) -> None:
        self.stack.append(value)

    def drop(self, _: object) -> None:
        if not self.stack:
            raise Refused("holds a pickle that takes more than it has put down")
        self.stack.pop()

    def tuple_of(self, n: int) -> None:
        values = [self.pop() for _ in range(n)]
        self.push(tuple(reversed(values)))

    def group(self, make: Callable[[list[Any]], object]) -> None:
        self.push(make(self.popped()))

    def extend(self, values: list[Any]) -> None:
        target = self.top()
        if isinstance(target, list):
            target.extend(values)
        elif not isinstance(target, Inert):
            raise Refused("holds a pickle that appends to something that is no list")

    def fill(self, flat: list[Any]) -> None:
        target = self.top()
        if isinstance(target, dict):
            target.update(_paired(flat))
        elif not isinstance(target, Inert):
            raise Refused("holds a pickle that fills something that is no dictionary")

    def remember(self, key: int | None) -> None:
        self.memo[len(self.memo) if key is None else int(key)] = self.top()

    def recall(self, key: int) -> None:
        if int(key) not in self.memo:
            raise Refused("holds a pickle that refers to something it never made")
        self.push(self.memo[int(key)])

    def name(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.push(_named(module, name))

    def name_on_stack(self, _: object) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise Refused("holds a pickle that names a class by something that is not text")
        self.push(_named(module, name))

    def call(self, _: object) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Inert):
            raise Refused("holds a pickle that calls something that is no function")
        self.push(_made(function.name, arguments if isinstance(arguments, tuple) else ()))

    def new_with_names(self, _: object) -> None:
        self.pop()
        self.call(None)

    def instance(self, argument: str) -> None:
        self.popped()
        module, _, name = argument.partition(" ")
        self.push(Inert(_named(module, name).name))

    def object_of_group(self, _: object) -> None:
        values = self.popped()
        self.push(Inert(values[0].name if values and isinstance(values[0], Inert) else "?"))

    def build(self, _: object) -> None:
        state, target = self.pop(), self.top()
        # A dict has an attribute (torch's `_metadata`) that nobody needs.
        if isinstance(target, Inert):
            target.state = state

    def persistent(self, _: object) -> None:
        storage = _storage(self.pop())
        if self.types.setdefault(storage.key, storage.dtype or "U8") != (storage.dtype or "U8"):
            raise Refused("gives one storage two types")
        self.push(storage)


def _opcodes(file: BinaryIO) -> Iterator[tuple[pickletools.OpcodeInfo, Any, int | None]]:
    try:
        yield from pickletools.genops(file)
    except (ValueError, IndexError, OverflowError, KeyError) as error:
        raise Refused("is not a sound pickle") from error


def _named(module: str, name: str) -> Inert:
    module = _RENAMED.get(module, module)
    if module.partition(".")[0] in _STANDARD and name not in _HARMLESS.get(module, ()):
        raise Refused(f"asks for {_short(f'{module}.{name}')}, which has no business in a checkpoint; nothing was run")
    return Inert(_short(f"{module}.{name}"))


def _made(name: str, arguments: tuple[Any, ...]) -> object:
    """Return the value that a call stands for: a dict, a tensor's place, or one more stand-in."""
    if name == "collections.OrderedDict":
        pairs = arguments[0] if arguments and isinstance(arguments[0], list) else []
        return _paired([one for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2 for one in pair])
    if name == "torch.Size" and len(arguments) == 1 and isinstance(arguments[0], tuple):
        return arguments[0]
    if name.startswith("torch._utils._rebuild_parameter") and arguments and isinstance(arguments[0], TensorAt):
        return arguments[0]
    if name in ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3"):
        return _tensor(arguments)
    if name == "copyreg._reconstructor" and arguments and isinstance(arguments[0], Inert):
        return Inert(arguments[0].name)
    return Inert(name)


def _tensor(arguments: tuple[Any, ...]) -> TensorAt:
    if len(arguments) < 4 or not isinstance(arguments[0], Storage):
        raise Refused("describes a tensor without its storage")
    storage, offset, shape, strides = arguments[:4]
    named = [one.name for one in arguments[6:7] if isinstance(one, Inert)]
    dtype = storage.dtype or (_DTYPES.get(named[0].removeprefix("torch."), "") if named else "")
    if not dtype:
        raise Refused(
            "holds a tensor of a type that is not supported", "Ask its authors for the weights in fp32 or fp16."
        )
    if not (isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides) <= MAX_DIMENSIONS):
        raise Refused("describes a tensor without a sound shape")
    for value in (offset, *shape, *strides):
        if type(value) is not int or not 0 <= value < 1 << 48:
            raise Refused("describes a tensor with an absurd size")
    return TensorAt(storage, offset, shape, strides, dtype)


def _storage(identity: object) -> Storage:
    """A persistent id of torch: ("storage", type, key, device, count), in old files with a view (key, start, count) behind it."""
    if not isinstance(identity, tuple) or not 5 <= len(identity) <= 6 or identity[0] != "storage":
        raise Refused("refers to something outside itself that is no tensor")
    _, kind, key, _, count, *view = identity
    name = kind.name if isinstance(kind, Inert) else ""
    short = name.rpartition(".")[2].removesuffix("Storage")
    if not name.startswith("torch.") or (short not in _STORAGES and short != "Untyped"):
        raise Refused(f"holds values of the type {_short(name)}, which is not supported")
    start = 0
    if view and view[0] is not None:
        if not isinstance(view[0], tuple) or len(view[0]) != 3:
            raise Refused("describes a part of a storage that it does not have")
        start = view[0][1]
    for value in (count, start):
        if type(value) is not int or not 0 <= value < 1 << 48:
            raise Refused("describes a storage with an absurd size")
    if not isinstance(key, str) or not 0 < len(key) <= 64:
        raise Refused("describes a storage without a name")
    return Storage(key, _STORAGES.get(short, ""), count, start)


def _paired(flat: list[Any]) -> dict[Any, Any]:
    if len(flat) % 2:
        raise Refused("holds a pickle with a key that has no value")
    pairs: dict[Any, Any] = {}
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        # Only these: the hash of a nested tuple can be made to take years.
        if not isinstance(key, str | int | float | bytes | bool | None):
            key = f"<{type(key).__name__} {len(pairs)}>"
        pairs[key] = value
    return pairs


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text[:80])
    return shown if len(text) <= 80 else f"{shown}…"


def _nothing(_machine: _Machine, _argument: object) -> None:
    """The protocol's number and the sizes of frames say nothing that is needed."""


def _constant(value: object) -> Callable[[_Machine, object], None]:
    return lambda machine, _: machine.push(value)


_VALUES = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING"),
    *("SHORT_BINSTRING", "UNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINUNICODE", "BINBYTES", "BINBYTES8"),
    *("SHORT_BINBYTES", "BYTEARRAY8"),
)

_STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    **dict.fromkeys(_VALUES, _Machine.push),
    **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.remember),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), lambda machine, _: machine.push(Inert("copyreg extension"))),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "MARK": _constant(_Mark),
    "POP": _Machine.drop,
    "POP_MARK": lambda machine, _: machine.popped(),
    "DUP": lambda machine, _: machine.push(machine.top()),
    "EMPTY_TUPLE": _constant(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_SET": lambda machine, _: machine.push(Inert("set")),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "TUPLE": lambda machine, _: machine.group(tuple),
    "LIST": lambda machine, _: machine.group(list),
    "DICT": lambda machine, _: machine.group(_paired),
    "FROZENSET": lambda machine, _: machine.group(tuple),
    "ADDITEMS": lambda machine, _: machine.popped(),
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.popped()),
    "SETITEM": lambda machine, _: machine.fill([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.fill(machine.popped()),
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name_on_stack,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "NEWOBJ_EX": _Machine.new_with_names,
    "INST": _Machine.instance,
    "OBJ": _Machine.object_of_group,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}
