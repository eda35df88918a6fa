"""All exceptions of unpanic.

UnpanicError (Exception)
├── LoadError                           the module was not loaded, and nothing of it is left behind
│   ├── FetchError                      a file could not be fetched: URL, HTTP status and reason
│   ├── GlueError                       the glue is not wasm-bindgen's output
│   ├── CompileError                    the file is not Wasm, or it needs a feature that this browser lacks
│   └── StartError                      the start function crashed
├── Crash (RuntimeError)                a fatal error in a call, which was undone, or ended its generation
│   ├── RustPanic                       Rust panicked, at a place in the Rust source
│   ├── Trap                            the engine stopped the code; `code` says why
│   ├── StackOverflow
│   ├── OutOfMemory
│   ├── ForeignException                an exception of JavaScript or Python flew through Rust frames
│   └── CallTimeout (TimeoutError)
├── CallInterrupted                     the call was in flight when its generation died, or its begin was undone
├── StaleObjectError (ReferenceError)   the object is of an earlier generation or an undone call, freed, or moved
├── ModuleTerminated                    the module has ended: no generation will follow
└── RustError                           Rust returned `Err` or threw on purpose, which is no crash

StateLostWarning (UserWarning)          an object was made again after a reset
"""

import re
import types
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from ._traceback import make_entries, merge, render_for_ipython, show_everywhere, stand_in

__all__ = [
    "CallInterrupted",
    "CallTimeout",
    "CompileError",
    "Crash",
    "FetchError",
    "ForeignException",
    "Frame",
    "GlueError",
    "LoadError",
    "Location",
    "ModuleTerminated",
    "OutOfMemory",
    "RustError",
    "RustPanic",
    "StackOverflow",
    "StaleObjectError",
    "StartError",
    "StateLostWarning",
    "Trap",
    "UnpanicError",
]


# The interpreter's own traceback of an exception; `UnpanicError` shows it to Python in another form.
TRACEBACK: Any = vars(BaseException)["__traceback__"]

# The runtime's text for a function without a name, and the text of a traceback for a build without function names.
UNNAMED = re.compile(r"wasm-function\[\d+\]$")
NO_NAMES = "[this build has no names of functions]"

# A method as the compiler writes it: `<bank::Account>::withdraw`.
INHERENT = re.compile(r"^<([\w:]+)>::")


class Location(NamedTuple):
    """A place in Rust source, as the compiler wrote it down.

    Attributes:
        file: the path of the source file, relative to its crate or workspace.
        line: the line, counted from 1.
        column: the column, counted from 1.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Frame(NamedTuple):
    """One function on the Rust stack.

    Attributes:
        function: the demangled path, such as `bank::Account::withdraw`. If the compiler inlined an exported function
            into the wrapper that JavaScript calls, this is its name in Python, such as `bank.Account.withdraw`.
        file: the source file, if it is known.
        line: the line in the file, if it is known.
    """

    function: str
    file: str | None = None
    line: int | None = None


class StackText(Protocol):
    """An engine's stack text, which is read when it is asked for."""

    def text(self) -> str:
        """Returns the whole text."""
        ...

    def functions(self) -> str:
        """Returns the names of the Rust functions in the stack, one in each line, innermost first."""
        ...


class KeptStack(NamedTuple):
    """A stack text that has been read: copies of a crash have it."""

    whole: str
    names: str

    def text(self) -> str:
        """Returns the whole text."""
        return self.whole

    def functions(self) -> str:
        """Returns the names of the Rust functions in the stack."""
        return self.names


# Tells the file and the line of functions of a stack text, innermost first, as far as they are known.
type LineSource = Callable[[str, Sequence[str]], list[tuple[str, int] | tuple[None, None]]]


class CapsuleSource(Protocol):
    """Makes the capsule of a crash."""

    def make(self) -> bytes:
        """Makes it."""
        ...


class UnpanicError(Exception):
    """The base class of all exceptions of unpanic.

    The traceback shows the user's code and the Rust frames, without unpanic's own frames.
    """

    @property
    def __traceback__(self) -> types.TracebackType | None:
        return self._merge(TRACEBACK.__get__(self))

    @__traceback__.setter
    def __traceback__(self, traceback: types.TracebackType | None) -> None:
        TRACEBACK.__set__(self, traceback)

    def _merge(self, traceback: types.TracebackType | None) -> types.TracebackType | None:
        return merge(traceback)

    def _render_traceback_(self) -> list[str]:
        return render_for_ipython(self)


show_everywhere(UnpanicError, lambda error, traceback: error._merge(traceback))


class LoadError(UnpanicError):
    """The module was not loaded, and nothing of it is left behind."""


class FetchError(LoadError):
    """The glue, the Wasm file or the types could not be fetched.

    Attributes:
        url: the address of the file.
        status: the HTTP status, or None if no answer came.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class GlueError(LoadError):
    """The glue is not wasm-bindgen's output, or it does not fit the Wasm file."""


class CompileError(LoadError):
    """The file is not Wasm, is cut short, or needs a feature that this browser lacks."""


class StartError(LoadError):
    """The start function crashed.

    Attributes:
        crash: the crash of the start function.
    """

    def __init__(self, message: str, *, crash: "Crash | None" = None) -> None:
        super().__init__(message)
        self.crash = crash


class Crash(UnpanicError, RuntimeError):
    """A fatal error in a call.

    A crash holds text and no objects of the engine, so keeping it does not keep its generation alive.

    Attributes:
        kind: `panic`, `trap`, `stack_overflow`, `out_of_memory`, `foreign` or `timeout`.
        message: the text of the code that failed, such as a panic's message.
        call: the call that failed, such as `Account.withdraw`. It is empty for a timer or a task, and if several calls
            in flight may be to blame: then each of them gets the crash, whose text names them.
        module: the name of the module.
        generation: the number of the generation in which the call ran.
        recovery: what it led to: `rollback` (the call was undone), `unwind`, `reset`, or `none` (the module ended).
        state_kept: whether the module's state survived.
    """

    kind: ClassVar[str] = "crash"

    def __init__(
        self,
        message: str = "",
        *,
        call: str = "",
        module: str = "",
        generation: int = 0,
        recovery: str = "none",
        state_kept: bool = False,
        stack: StackText | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.call = call
        self.module = module
        self.generation = generation
        self.recovery = recovery
        self.state_kept = state_kept
        self.outcome = ""
        self.suspicion = ""
        self._stack = stack
        # Both are set by whoever rolls the call back.
        self.capsule_source: CapsuleSource | None = None
        self.kept_capsule: bytes | Exception | None = None
        # Whoever makes the crash sets it, if the build has written a table of lines.
        self.line_source: LineSource | None = None
        self._kept_places: list[tuple[str, int] | tuple[None, None]] | None = None
        self._stand_in: types.TracebackType | None = None
        self._entries: types.TracebackType | None = None

    @property
    def javascript_stack(self) -> str:
        """The engine's stack as text, down to the call from Python."""
        return self._stack.text() if self._stack else ""

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The Rust stack, innermost first: the first frame is the function that panicked.

        It is empty if the Wasm file has no names of functions.
        """
        names = self._functions()
        places = self._places(names)
        if places and self._file_and_line() != (None, None):
            places[0] = self._file_and_line()
        frames = zip(names, places, strict=True)
        return tuple(Frame(INHERENT.sub(r"\1::", name), *file) for name, file in frames if not UNNAMED.match(name))

    def capsule(self) -> bytes:
        """Keeps the crash, so that `unpanic.replay` can make it again: in another page, in Node, in a test.

        The bytes hold the state of the module before the failing call, the call, and its arguments. So they hold the
        data of your users. Nothing is kept before you ask, unless the module was loaded with `capsules=True`.

        Raises:
            LookupError: the module was called since, or the call was not rolled back; or the crash came in a timer
                or a task, or after an async call had begun to wait.
            TypeError: an argument is no plain value, or something in the state cannot travel; it says which.
            RuntimeError: async calls are in flight.

        Example:
            >>> try:
            ...     bank.transfer("ada", "bob", 1_000)
            ... except unpanic.Crash as crash:
            ...     capsule = crash.capsule()
        """
        if isinstance(self.kept_capsule, bytes):
            return self.kept_capsule
        if self.kept_capsule is not None:
            raise self.kept_capsule
        if self.capsule_source is None:
            raise LookupError(f"There is no capsule of this crash, because {self._why_no_capsule()}.")
        return self.capsule_source.make()

    def _why_no_capsule(self) -> str:
        if self.recovery != "rollback":
            return f"the call was not rolled back ({self.recovery})"
        return (
            "it came in a timer or a task, or after an async call had begun to wait; or its call is not over yet (a "
            "panic hook or a callback asks); or this is a copy of the exception"
        )

    def _places(self, names: list[str]) -> "list[tuple[str, int] | tuple[None, None]]":
        """Returns the file and the line of each function, as far as a table of the build tells them."""
        if self._kept_places is not None:
            return list(self._kept_places)
        if self.line_source is None or self._stack is None:
            return [(None, None)] * len(names)
        return self.line_source(self._stack.text(), names)

    def _functions(self) -> list[str]:
        return self._stack.functions().splitlines() if self._stack else []

    def _file_and_line(self) -> tuple[str, int] | tuple[None, None]:
        """Returns where the innermost function stopped, if that is known."""
        return None, None

    def __reduce__(self) -> tuple[Any, ...]:
        """Supports copies and pickles, which keep the text of the stack instead of the engine's object."""
        stack = self._stack and KeptStack(self._stack.text(), self._stack.functions())
        places = self._places(self._functions()) if self.line_source else self._kept_places
        lines = {"line_source": None, "_kept_places": places}
        state = {**vars(self), **lines, "_stack": stack, "capsule_source": None, "_stand_in": None, "_entries": None}
        return type(self), self.args, (state, self._stand_in is not None)

    def __setstate__(self, state: Any) -> None:
        own, had_entries = state
        super().__setstate__(own)
        if had_entries:
            self.begin_traceback(stand_in(self.module, self.call, *self._file_and_line()))

    def begin_traceback(self, entry: types.TracebackType) -> None:
        """Begins the traceback with one entry that stands for all Rust frames until somebody looks at it."""
        self._stand_in = entry
        TRACEBACK.__set__(self, entry)

    def _merge(self, traceback: types.TracebackType | None) -> types.TracebackType | None:
        if self._stand_in is not None and self._entries is None:
            self._entries = make_entries(self._shown_frames(), self.module) or self._stand_in
        return merge(traceback, self._stand_in, self._entries)

    def _shown_frames(self) -> tuple[Frame, ...]:
        frames = self.frames
        return frames if frames or not self._functions() else (Frame(NO_NAMES, *self._file_and_line()),)

    def _place(self) -> str:
        return f"in {self.module}.{self.call}" if self.call else self.suspicion or f"in {self.module}"

    def __str__(self) -> str:
        details = "; ".join(filter(None, (self._place(), self.outcome)))
        return f"{self.message} ({details})" if self.module else self.message


class RustPanic(Crash):
    """Rust panicked.

    Attributes:
        location: the place in the Rust source, or None if no panic hook reported it.
        payload: the type of the panic's payload, such as `&str` or `i32`; empty if it is not known.
    """

    kind = "panic"

    def __init__(
        self, message: str = "", *, location: Location | None = None, payload: str = "", **details: object
    ) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.location = location
        self.payload = payload

    def _file_and_line(self) -> tuple[str, int] | tuple[None, None]:
        return self.location[:2] if self.location else (None, None)

    def _place(self) -> str:
        place = super()._place()
        return f"{place}, {self.location}" if self.location else place


class Trap(Crash):
    """The engine stopped the code.

    Attributes:
        code: `unreachable`, `out_of_bounds`, `divide_by_zero`, `integer_overflow`,
            `invalid_conversion`, `indirect_call`, `unaligned` or `other`.
    """

    kind = "trap"

    def __init__(self, message: str = "", *, code: str = "other", **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.code = code


class StackOverflow(Crash):
    """The shadow stack or the engine's own stack was used up."""

    kind = "stack_overflow"


class OutOfMemory(Crash):
    """An allocation failed. Rust runs no panic hook in this case."""

    kind = "out_of_memory"


class ForeignException(Crash):
    """An exception of JavaScript or Python flew through Rust frames. That exception is the `__cause__`."""

    kind = "foreign"


class CallTimeout(Crash, TimeoutError):
    """The call computed for longer than it may: longer than `timeout` of `load`, or than a `deadline`.

    Its `message` says after how long the call was stopped, and in which Rust function if that is known; `call` says
    which call it was, and `frames` where. Rust runs no destructors, and the module is reset, in builds that unwind too.
    """

    kind = "timeout"


class CallInterrupted(UnpanicError):
    """The call did not fail itself, but its generation died meanwhile, or the call that began it was undone.

    Attributes:
        crash: the crash that was the cause, or None after an explicit reset.
    """

    def __init__(self, message: str, *, crash: Crash | None = None) -> None:
        super().__init__(message)
        self.crash = crash


class StaleObjectError(UnpanicError, ReferenceError):
    """The object was made by an earlier generation or in an undone call, was freed, or was moved into a Rust call."""


class ModuleTerminated(UnpanicError):
    """The module has ended: after a crash with `recovery="none"` or with a spent restart budget, or by `unload`.

    If a crash ended it, the crash is the `__cause__`.
    """


class RustError(UnpanicError):
    """A Rust function returned `Err`, or threw something on purpose (`throw_str`, `throw_val`, `unwrap_throw`).

    If a JavaScript `Error` has a `cause`, that is the `__cause__`.

    Attributes:
        value: the error as a Python value; for a JavaScript `Error` its text.
        name: the name of a JavaScript `Error`, such as `TypeError`; empty for other values.
        properties: the other properties of a JavaScript `Error`, by name.
    """

    def __init__(
        self, message: str, *, value: object = None, name: str = "", properties: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.value = value
        self.name = name
        self.properties = properties or {}


class StateLostWarning(UserWarning):
    """An object was made again after a reset, with the arguments of its constructor: the state that it had is lost."""
