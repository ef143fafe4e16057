"""Measuring converted speech: whose voice it is, what can be understood, how far two signals are.

Everything here measures and fits nothing. Needs ``pip install edge-vc[evaluate]``.
"""
