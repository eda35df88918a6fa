"""Parameters, as far as they decide how an argument crosses."""

from dataclasses import dataclass

from .kinds import Kind

__all__ = ["GlueParameter"]


@dataclass(frozen=True)
class GlueParameter:
    """One parameter, as the runtime read it from the glue.

    An `optional` parameter takes None, a `rest` parameter all further
    arguments. Rust writes into a `mutable` array. It gets a `shared` array as it is, and may write into that.
    """

    name: str
    kind: Kind
    optional: bool
    rest: bool
    mutable: bool = False
    shared: bool = False
