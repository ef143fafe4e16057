"""The consent asked for before a voice is trained, and the summary printed afterwards."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from edge_vc.command_line.errors import InputError
from edge_vc_runtime.files.writing import write_whole

FILE = "consent.txt"
"""File in the run folder that keeps the consent, so that a resumed run does not ask again."""
LONGEST = 1000


def given_consent(words: str, out: Path) -> str:
    """Return the owner's consent: as given, as stored in ``out``, or as typed at the prompt.

    Raises `InputError` if there is none, or if it is too long or not printable.
    """
    path = out / FILE
    kept = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    words = words.strip() or kept
    if not words and sys.stdin.isatty():
        words = typer.prompt("How did the owner of this voice agree to its use?", err=True).strip()
    if not words or len(words) > LONGEST or not words.isprintable():
        raise InputError(
            "a voice is trained only with its owner's consent: say how it was given, in one line "
            f"of up to {LONGEST} characters, with --consent TEXT"
        )
    out.mkdir(parents=True, exist_ok=True)
    write_whole(path, words + "\n")
    return words


def next_lines(weights: Path, scores: Mapping[str, float]) -> list[str]:
    """Return the scores of a trained voice and the next commands to run, as lines."""
    lines = []
    if "natural" in scores:
        lines.append(
            "spectral distance on held-out recordings: "
            f"{scores['natural']:.2f} with the natural input, "
            f"{scores['validation']:.2f} with the voice perturbed (lower is better)"
        )
    if "similarity" in scores:
        lines.append(
            f"speaker similarity: {scores['similarity']:.3f} with the voice perturbed; "
            f"{scores['similarity_recordings']:.3f} for the held-out recordings themselves"
        )
    elif scores:
        lines.append("speaker similarity: needs pip install 'edge-vc[evaluate]'")
    samples = weights.parent / "samples"
    lines.append(f"listen: {samples}; next:")
    lines.append(f"  edge-vc evaluate source {weights} --corpus CORPUS")
    lines.append(f"  edge-vc compress base --teacher {weights.parent} --corpus SPEECH --run RUN")
    return lines
