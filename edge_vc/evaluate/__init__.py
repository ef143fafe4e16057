"""Evaluation of converted speech: speaker similarity, error rates, quality, prosody, distances.

Nothing here is trained. Needs ``pip install edge-vc[evaluate]``.
"""
