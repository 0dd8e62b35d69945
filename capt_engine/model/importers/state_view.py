"""The tensors of a published file by name, and a record of those that were read, so that none can be passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor


class StateView(Mapping[str, Tensor]):
    """The tensors of a file whose names begin with a prefix, by the rest of their names; remembers which were read.

    Asking for a tensor, one by one or by `values` and `items`, reads it; asking for names does not.
    """

    def __init__(self, state: Mapping[str, Tensor], prefix: str = "") -> None:
        """state: the tensors of a file, or a view of them, which then remembers too. prefix: the beginning of the names."""
        self._state, self._prefix = state, prefix
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        """Return the tensor `name`, and remember that it was read; raise KeyError where it is not there."""
        value = self._state[self._prefix + name]
        self._read.add(name)
        return value

    def __contains__(self, name: object) -> bool:
        """Return True if there is a tensor `name`; that does not read it."""
        return isinstance(name, str) and self._prefix + name in self._state

    def __iter__(self) -> Iterator[str]:
        """Return the names without the prefix."""
        return (one.removeprefix(self._prefix) for one in self._state if one.startswith(self._prefix))

    def __len__(self) -> int:
        """Return the number of tensors below the prefix."""
        return sum(1 for _ in self)

    @property
    def unread(self) -> tuple[str, ...]:
        """Return the names of the tensors that nobody has read so far, in the order of the file."""
        return tuple(name for name in self if name not in self._read)
