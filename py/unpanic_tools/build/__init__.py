"""From a wasm-bindgen crate to a Python package: cargo, wasm-bindgen, exact types, stubs, and what goes into the wheel.

It owns what needs a Rust toolchain. It may not know the command line; the command line and the build hook call it.
"""

from .failure import BuildError
from .options import CrateOptions
from .package import Package
from .project import assemble, build

__all__ = ["BuildError", "CrateOptions", "Package", "assemble", "build"]
