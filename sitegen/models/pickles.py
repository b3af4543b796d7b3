"""Pickles, read without running any: what they name becomes a plain record, and nothing is imported or called.

Python's own reader imports whatever a pickle names and calls it. Here a name stays a name, a call the record of it, and
state lies beside it, for readers of formats to look through. Opcodes are taken apart by pickletools of the standard
library, which is their documentation too. Whoever looks through what comes out has to know that it may hold itself.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from typing import Any, BinaryIO

# A pickle of a large network is some megabytes, and a few hundred thousand opcodes; its tensors' numbers are elsewhere.
MOST_BYTES = 64 << 20
_MOST_OPCODES = 2_000_000
_LITERALS = frozenset(
    """
    INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES
    SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8
    """.split()  # noqa: SIM905
)
_DICTIONARIES = ("collections.OrderedDict", "collections.defaultdict")


@dataclass(frozen=True, eq=False)
class Name:
    """What a pickle would have imported."""

    name: str


@dataclass(eq=False)
class Record:
    """What a pickle would have called or made: `of` what (a Name, if all is well), of what, and with which state."""

    of: Any
    arguments: tuple[Any, ...]
    state: Any = None

    @property
    def name(self) -> str:
        """The name of what was called; empty where that is no name."""
        return self.of.name if isinstance(self.of, Name) else ""


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """What a pickle leaves to who reads it: a persistent id."""

    id: Any


@dataclass(frozen=True)
class Pickled:
    """What a pickle holds, and all that lies elsewhere, in the order in which it is named."""

    root: Any
    elsewhere: tuple[Elsewhere, ...]


def load(stream: BinaryIO) -> Pickled:
    """Reads one pickle and leaves the stream behind it.

    Dictionaries, and ordered ones, are dicts of what has a text for its key; the rest of them is left out. Raises
    ValueError for what is no pickle, does not end, or is longer than MOST_BYTES.
    """
    machine = _Machine()
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(_Limited(stream))):  # type: ignore[arg-type]
            if number >= _MOST_OPCODES:
                raise ValueError("it has too many opcodes")
            machine.step(opcode.name, argument)
        return Pickled(machine.top(), tuple(machine.elsewhere))
    except (IndexError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError("its opcodes do not fit one another") from error


class _Limited:
    """A stream for pickletools, which reads as much as a pickle says."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = MOST_BYTES

    def read(self, size: int) -> bytes:
        return self._counted(self._stream.read(min(size, self._left)))

    def readline(self) -> bytes:
        return self._counted(self._stream.readline(self._left))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data


class _Machine:
    """The pickle machine: a stack, the stacks below its marks, and a memo."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self.elsewhere: list[Elsewhere] = []

    def top(self) -> Any:
        return self._stack[-1]

    def step(self, name: str, argument: Any) -> None:
        push, pop = self._stack.append, self._stack.pop
        if name in _LITERALS:
            push(argument)
            return
        match name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                push({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            case "EMPTY_LIST":
                push([])
            case "EMPTY_TUPLE":
                push(())
            case "EMPTY_DICT":
                push({})
            case "EMPTY_SET":
                push(Record(Name("builtins.set"), ()))
            case "MARK":
                self._marked.append(self._stack)
                self._stack = []
            case "POP":
                pop()
            case "POP_MARK" | "ADDITEMS":
                self._unmarked()
            case "DUP":
                push(self.top())
            case "LIST":
                self._push_made(list)
            case "TUPLE":
                self._push_made(tuple)
            case "FROZENSET":
                self._push_made(lambda items: Record(Name("builtins.frozenset"), tuple(items)))
            case "DICT":
                self._push_made(lambda items: _put({}, items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                push(tuple([pop() for _ in range(int(name[-1]))][::-1]))
            case "APPEND":
                item = pop()
                _append(self.top(), [item])
            case "APPENDS":
                items = self._unmarked()
                _append(self.top(), items)
            case "SETITEM":
                value, key = pop(), pop()
                _put(self.top(), [key, value])
            case "SETITEMS":
                items = self._unmarked()
                _put(self.top(), items)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                if not 0 <= argument < _MOST_OPCODES:
                    raise ValueError("it remembers more than it has")
                self._memo[argument] = self.top()
            case "MEMOIZE":
                self._memo[len(self._memo)] = self.top()
            case "GET" | "BINGET" | "LONG_BINGET":
                push(self._memo[argument])
            case "GLOBAL":
                push(Name(argument.replace(" ", ".")))
            case "STACK_GLOBAL":
                attribute, module = pop(), pop()
                push(Name(f"{module:s}.{attribute:s}"))
            case "REDUCE" | "NEWOBJ":
                arguments, of = pop(), pop()
                push(_called(of, arguments))
            case "NEWOBJ_EX":
                _, arguments, of = pop(), pop(), pop()
                push(_called(of, arguments))
            case "INST":
                self._push_made(lambda items: _called(Name(argument.replace(" ", ".")), tuple(items)))
            case "OBJ":
                self._push_made(lambda items: _called(items[0], tuple(items[1:])))
            case "BUILD":
                state = pop()
                if isinstance(self.top(), Record):
                    self.top().state = state
            case "BINPERSID":
                self.elsewhere.append(Elsewhere(pop()))
                push(self.elsewhere[-1])
            case _:
                raise ValueError(f"it has the opcode {name}, which is not read here")

    def _unmarked(self) -> list[Any]:
        """What was pushed since the last mark."""
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _push_made(self, make: Any) -> None:
        items = self._unmarked()
        self._stack.append(make(items))


def _called(of: Any, arguments: Any) -> Any:
    if not isinstance(arguments, tuple):
        raise TypeError("arguments are a tuple")
    if isinstance(of, Name) and of.name in _DICTIONARIES:
        # Python 2 gave the pairs at once; a defaultdict has its factory there.
        pairs = arguments[0] if arguments and isinstance(arguments[0], list) else []
        return _put({}, [part for pair in pairs for part in (pair[0], pair[1])])
    return Record(of, arguments)


def _append(to: Any, items: list[Any]) -> None:
    # Only lists are looked at; what other classes were given is theirs.
    if isinstance(to, list):
        to.extend(items)


def _put(to: Any, items: list[Any]) -> Any:
    """Puts keys and values, in turn, into a dict. Other keys than texts might be made to have the same hash."""
    if isinstance(to, dict):
        to.update((key, value) for key, value in zip(items[::2], items[1::2], strict=True) if type(key) is str)
    return to
