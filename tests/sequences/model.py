"""What the module of the fixture `juggle` should have, in Python."""

from __future__ import annotations

BLOCK_SIZE = 20_000


class State:
    """All that Rust owns, and which of the things that Python holds belong to it.

    Attributes:
        items: the name and the count of each item that Rust has stored.
        closures: the places in `sums` of the adders that Rust keeps.
        handles: the items that Python may use, by their numbers: name and count.
        adders: the adders that can be called: their places in `sums`.
        calls: the async calls and tasks that have not ended: how they will end, and whether they were polled.
    """

    def __init__(self):
        self.count = 0
        self.list = []
        self.map = {}
        self.text = 0
        self.values = []
        self.block = bytearray(BLOCK_SIZE)
        self.items = []
        self.closures = []
        self.sums = []
        self.drops = 0
        self.ended = []
        self.handles = {}
        self.adders = {}
        self.calls = {}

    def copy(self):
        other = State()
        other.__dict__.update({name: value[:] for name, value in vars(self).items() if isinstance(value, list)})
        other.count, other.text, other.drops = self.count, self.text, self.drops
        other.block = self.block[:]
        other.items = [list(item) for item in self.items]
        other.map, other.adders = dict(self.map), dict(self.adders)
        other.handles = {number: list(item) for number, item in self.handles.items()}
        other.calls = {number: list(call) for number, call in self.calls.items()}
        return other

    def described(self):
        """The same as the export `state` says it; without the drops, which JavaScript's collector adds to."""
        return {
            "count": self.count,
            "list": self.list,
            "map": [list(entry) for entry in sorted(self.map.items())],
            "text": self.text,
            "items": [list(item) for item in self.items],
            "closures": len(self.closures),
            "sums": self.sums,
            "ended": self.ended,
            "is_right": True,
        }

    def take_step(self, name, a=0, b=0, c=0):
        """Does what a step of the export `play` does."""
        match name:
            case "count":
                self.count += a
            case "extend":
                self.list.extend(range(a, a + b))
            case "cut":
                del self.list[max(len(self.list) - a, 0) :]
            case "put":
                self.map[a] = b
            case "remove":
                self.map.pop(a, None)
            case "text":
                self.text += a
            case "value":
                self.values.append(a)
            case "pop value":
                del self.values[-1:]
            case "clear values":
                self.values.clear()
            case "fill":
                self.block[a : a + b] = bytes([c]) * b
            case "move":
                self.block[c : c + b] = self.block[a : a + b]
            case "store":
                self.block[a : a + b] = (c & (1 << 8 * b) - 1).to_bytes(b, "little")
            case "bytes":
                self.block[b : b + 300] = bytes(range(100)) * 3
            case "scatter":
                for n in range(b):
                    at = (a + n * 997) % (BLOCK_SIZE - 8)
                    self.block[at : at + 8] = c.to_bytes(8, "little")
            case "grow":
                pass
            case _:
                raise ValueError(name)

    def poll(self):
        """The event loop turns: what was not polled yet is."""
        for call in self.calls.values():
            if not call[1]:
                call[1] = True
                self.count += 1 if call[0] is not None else 0
