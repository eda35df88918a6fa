"""The tools of unpanic for a desktop: the command line, stubs, and readers of Wasm files.

Owns: the wheel `unpanic-tools` (pyproject.toml in this folder), which `pip install unpanic` brings along.
May know `unpanic`; nothing in `unpanic` but `python -m unpanic` knows it, because Pyodide installs without it.
"""
