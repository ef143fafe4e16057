"""Evaluation of converted speech: speaker similarity, error rates, quality, prosody, distances.

No training happens here. Needs ``pip install edge-vc[evaluate]``.
"""
