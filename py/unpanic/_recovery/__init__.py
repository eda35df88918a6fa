"""Recovery: from the death of a generation to the next one, or to the end of the module.

Owns: the states of a module's life, calls in flight, reports of crashes, and the policy that decides what follows.
May know `_bridge`; knows neither how values are converted nor what a module exports.
"""
