#!/usr/bin/env python3
"""Builds what becomes one Wasm file without glue: the rewriter, what makes modules for its tests, and the shadow.

    python3 rust/plain.py            all
    python3 rust/plain.py rewriter   one

The shadow (`rust/shadow/shadow.wat`) and the module of the tests of Wasm without glue (`rust/raw/plain.wat`) are texts,
which the rewriter's tests can assemble.
The files are committed as `rust/<crate>/pkg/<name>.wasm`, so that nobody needs Rust to use or to test them.
"""

from __future__ import annotations

import shutil
import sys

from build import HERE, TARGET, TARGET_DIR, BuildError, check_paths, find_toolchain, remapped_paths, run, say

CRATES = {"rewriter": "unpanic_rewriter", "smith": "smith"}
# The names of texts, by their folders.
TEXTS = {"shadow": "shadow", "raw": "plain"}


def assemble(folder: str) -> None:
    """Assembles a text."""
    toolchain = find_toolchain(own_std=False)
    name = TEXTS[folder]
    file = HERE / folder / "pkg" / f"{name}.wasm"
    file.parent.mkdir(exist_ok=True)
    manifest = ["--manifest-path", str(HERE / "rewriter" / "Cargo.toml")]
    example = ["run", "--quiet", *manifest, "--target-dir", str(TARGET_DIR / "plain"), "--example", "assemble", "--"]
    run([*toolchain.cargo, *example, str(HERE / folder / f"{name}.wat"), str(file)], toolchain.environment)
    say(f"{file}: {file.stat().st_size:,} bytes")


def build(crate: str) -> None:
    toolchain = find_toolchain(own_std=False)
    manifest = ["--manifest-path", str(HERE / crate / "Cargo.toml"), "--target", TARGET]
    run([*toolchain.cargo, "fetch", "--quiet", *manifest], toolchain.environment)
    target_dir = TARGET_DIR / "plain"
    flags = [*remapped_paths(toolchain, []), "-Ctarget-feature=+bulk-memory"]
    command = [*toolchain.cargo, "build", "--release", "--lib", *manifest, "--target-dir", str(target_dir)]
    if toolchain.builds_std:
        # The lines of panics, which nobody reads, would take 2 % of the file.
        flags.append("-Zlocation-detail=none")
        command += ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="]
    run(command, {**toolchain.environment, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)})
    folder = HERE / crate / "pkg"
    folder.mkdir(exist_ok=True)
    file = shutil.copy(target_dir / TARGET / "release" / f"{CRATES[crate]}.wasm", folder / f"{crate}.wasm")
    check_paths(folder)
    say(f"{file}: {(folder / f'{crate}.wasm').stat().st_size:,} bytes")


def main(crates: list[str]) -> int:
    try:
        for crate in crates or [*CRATES, *TEXTS]:
            if crate in TEXTS:
                assemble(crate)
            else:
                build(crate)
    except BuildError as error:
        print(f"plain: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
