"""Code that blocks while the event loop turns, and a user who stops it at any time."""

import opcode
import signal
import sys
from collections.abc import Iterator

import pytest
from unpanic._bridge import waits
from unpanic._bridge.waits import Waits

# CPython runs the handlers of signals after these instructions only.
LOOKS_FOR_SIGNALS = {opcode.opmap[name] for name in ("CALL", "CALL_KW", "RESUME", "JUMP_BACKWARD")}


def run_sync(waiting):
    """Waits for nothing."""
    waiting.close()


class Stop:
    """Requests a stop at one of the moments at which CPython looks for one, while it runs the code under test."""

    def __init__(self, at: int) -> None:
        self.moments_left = at
        self.is_requested = False
        self.last = None

    def trace(self, frame, event, _):
        if frame.f_code.co_filename != waits.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if self.last in LOOKS_FOR_SIGNALS:
                self.moments_left -= 1
                if self.moments_left == -1:
                    self.is_requested = True
                    signal.raise_signal(signal.SIGINT)
            self.last = frame.f_code.co_code[frame.f_lasti]
        return self.trace


def wait_once(stop: Stop) -> bool:
    """Waits, and tells whether the caller got the `KeyboardInterrupt`."""
    subject = Waits(run_sync, lambda: None)
    raised = False
    sys.settrace(stop.trace)
    try:
        subject.wait(None)
    except KeyboardInterrupt:
        raised = True
    finally:
        sys.settrace(None)
    assert subject._waits == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return raised


@pytest.fixture
def heeded() -> Iterator[None]:
    """Has Python heed SIGINT, also where a shell started the tests in the background with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.filterwarnings("ignore:coroutine 'wait' was never awaited:RuntimeWarning")
def test_a_request_at_any_time_reaches_the_caller_once():
    """Afterwards nobody waits, and the handler is the one of before."""
    stops = [Stop(at) for at in range(60)]
    raised = [wait_once(stop) for stop in stops]
    assert raised == [stop.is_requested for stop in stops]
    assert raised.count(True) > 10
    assert not raised[-1]
