"""Everything that unpanic raises.

UnpanicError (Exception)
├── LoadError                           nothing was left half loaded
│   ├── FetchError                      status and URL, or why it was refused
│   ├── GlueError                       not wasm-bindgen's output for the web
│   ├── CompileError                    not Wasm, or it needs a feature that this browser lacks
│   └── StartError                      the start function itself crashed
├── Crash (RuntimeError)                an error that ended a call, and mostly its generation
│   ├── RustPanic                       a panic, with its place in the Rust source
│   ├── Trap                            the engine stopped the code; `code` says why
│   ├── StackOverflow
│   ├── OutOfMemory
│   ├── ForeignException                an exception that flew through Rust frames; its cause
│   └── CallTimeout (TimeoutError)
├── CallInterrupted                     in flight when another call took the generation down
├── StaleObjectError (ReferenceError)   made by an earlier generation, freed, or moved
├── ModuleTerminated                    no generation will follow
└── RustError                           a Rust `Err`, or what Rust threw on purpose: not a crash

StateLostWarning (UserWarning)          an object was made again after a reset
"""

import itertools
import re
import types
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


# Where the interpreter keeps it; `UnpanicError` shows it to Python in another form.
TRACEBACK: Any = vars(BaseException)["__traceback__"]

# What the runtime says of a function without a name, and what a traceback says of a build without any.
UNNAMED = re.compile(r"wasm-function\[\d+\]$")
NO_NAMES = "[this build has no names of functions]"

# A method as the compiler writes it: `<bank::Account>::withdraw`.
INHERENT = re.compile(r"^<([\w:]+)>::")


class Location(NamedTuple):
    """A place in Rust source, as the compiler wrote it down.

    Attributes:
        file: path of the source file, relative to its crate or workspace.
        line: 1 for the first.
        column: 1 for the first.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Frame(NamedTuple):
    """One function on the Rust stack.

    Attributes:
        function: demangled path, `bank::Account::withdraw`; where the compiler inlined an exported function into what
            JavaScript calls, the name that Python calls it by, `bank.Account.withdraw`.
        file: its source file, where known.
        line: the line in it, where known.
    """

    function: str
    file: str | None = None
    line: int | None = None


class StackText(Protocol):
    """An engine's stack text, read when somebody asks for it."""

    def text(self) -> str:
        """The whole text."""
        ...

    def functions(self) -> str:
        """Names of the Rust functions in it, one in each line, innermost first."""
        ...


class KeptStack(NamedTuple):
    """A stack text that was read, for copies of a crash."""

    whole: str
    names: str

    def text(self) -> str:
        """The whole text."""
        return self.whole

    def functions(self) -> str:
        """Names of the Rust functions in it."""
        return self.names


class UnpanicError(Exception):
    """The root of everything that unpanic raises.

    Its traceback shows the user's code and the Rust frames, and none of unpanic's own.
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
    """The module could not be loaded; nothing was left half loaded."""


class FetchError(LoadError):
    """Glue or Wasm could not be fetched.

    Attributes:
        url: what was asked for.
        status: the HTTP status, or None if no answer came.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class GlueError(LoadError):
    """The glue is not what wasm-bindgen writes for the web, or does not fit the Wasm file."""


class CompileError(LoadError):
    """The Wasm file is none, is cut short, or needs a feature that this browser lacks."""


class StartError(LoadError):
    """The start function crashed.

    Attributes:
        crash: what happened in it.
    """

    def __init__(self, message: str, *, crash: "Crash | None" = None) -> None:
        super().__init__(message)
        self.crash = crash


class Crash(UnpanicError, RuntimeError):
    """A fatal error in a call.

    It holds text, no engine objects: keeping it keeps no generation alive.

    Attributes:
        kind: `panic`, `trap`, `stack_overflow`, `out_of_memory`, `foreign` or `timeout`.
        message: what happened, in the words of the code that failed.
        call: the call that failed, such as `Account.withdraw`; empty for a timer or a task, and where several calls in
            flight may be to blame: each of them gets the crash, whose message names them.
        generation: the number of the generation that ran it.
        recovery: `reset`, `rollback`, `unwind` or `none`.
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
        self._stand_in: types.TracebackType | None = None
        self._entries: types.TracebackType | None = None

    @property
    def javascript_stack(self) -> str:
        """The engine's stack as text, down to the call from Python."""
        return self._stack.text() if self._stack else ""

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The Rust stack, innermost first: the first is the function that panicked.

        Empty where the Wasm file has no names of functions.
        """
        names = self._functions()
        files = [self._file_and_line(), *itertools.repeat((None, None), len(names))]
        frames = zip(names, files, strict=False)
        return tuple(Frame(INHERENT.sub(r"\1::", name), *file) for name, file in frames if not UNNAMED.match(name))

    def _functions(self) -> list[str]:
        return self._stack.functions().splitlines() if self._stack else []

    def _file_and_line(self) -> tuple[str, int] | tuple[None, None]:
        """Where the innermost function stopped, if that is known."""
        return None, None

    def __reduce__(self) -> tuple[Any, ...]:
        """For copies and pickles, which keep the text of the stack instead of the engine's."""
        stack = self._stack and KeptStack(self._stack.text(), self._stack.functions())
        state = {**vars(self), "_stack": stack, "_stand_in": None, "_entries": None}
        return type(self), self.args, (state, self._stand_in is not None)

    def __setstate__(self, state: Any) -> None:
        own, had_entries = state
        super().__setstate__(own)
        if had_entries:
            self.begin_traceback(stand_in(self.module, self.call, *self._file_and_line()))

    def begin_traceback(self, entry: types.TracebackType) -> None:
        """Lets one entry of the traceback stand for all Rust frames, until somebody looks at it."""
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
        location: where in the Rust source, or None if no panic hook told.
        payload: the type of the panic's payload, such as `&str` or `i32`; empty if unknown.
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
    """An allocation failed; Rust runs no panic hook then."""

    kind = "out_of_memory"


class ForeignException(Crash):
    """An exception of JavaScript or Python flew through Rust frames; it is the cause."""

    kind = "foreign"


class CallTimeout(Crash, TimeoutError):
    """The call took longer than its deadline. Not raised yet: there are none."""

    kind = "timeout"


class CallInterrupted(UnpanicError):
    """The call did not fail, but its generation died under it.

    Attributes:
        crash: the one that took the generation down, or None after an explicit reset.
    """

    def __init__(self, message: str, *, crash: Crash | None = None) -> None:
        super().__init__(message)
        self.crash = crash


class StaleObjectError(UnpanicError, ReferenceError):
    """The object was made by an earlier generation, was freed, or was moved into a Rust call."""


class ModuleTerminated(UnpanicError):
    """The module has ended: `recovery="none"`, its restart budget is spent, or it was unloaded.

    A crash that ended it is the cause.
    """


class RustError(UnpanicError):
    """A Rust function returned `Err`, or threw something on purpose (`throw_str`, `throw_val`, `unwrap_throw`).

    The cause of a JavaScript `Error` is the exception's `__cause__`.

    Attributes:
        value: the error as a Python value; its text for a JavaScript `Error`.
        name: the name of a JavaScript `Error`, such as `TypeError`; empty for other values.
        properties: what else a JavaScript `Error` has, by name.
    """

    def __init__(
        self, message: str, *, value: object = None, name: str = "", properties: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.value = value
        self.name = name
        self.properties = properties or {}


class StateLostWarning(UserWarning):
    """An object was made again after a reset, with the arguments of its constructor: what it held is gone."""
