"""Strict reading of untrusted JSON: typed fields and records with limits."""
