"""What happens when a generation dies.

Owns: the state of a module's life, calls in flight, reports of crashes, and the decision what comes next.
May know `_bridge`; knows neither how values are converted nor what is exported.
"""
