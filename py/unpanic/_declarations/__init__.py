"""The `.d.ts` of a package: TypeScript declarations as data, as names and as Python annotations.

Owns: reading, and every rule of how TypeScript's types and names look in Python.
May know `_bridge`; knows no loaded module: what it says holds for stubs on a desktop too.
"""
