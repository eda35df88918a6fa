"""The `.d.ts` of a package: TypeScript declarations as data, as names and as Python annotations.

Owns: fetching and reading a `.d.ts`, and every rule of how TypeScript's types and names look in Python.
May know `_bridge`; knows no loaded module, so that stubs on a desktop follow the same rules.
"""
