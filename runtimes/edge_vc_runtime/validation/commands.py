"""What ``validate`` does, from parsed arguments to an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge_vc_runtime.aliases import refuse_aliases
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.errors import UsageError
from edge_vc_runtime.trust import check_trust, machine_policy
from edge_vc_runtime.validation.table import validation_lines
from edge_vc_runtime.validation.validation import Validation, validate_bundle


def validate(arguments: argparse.Namespace) -> int:
    """``validate BUNDLE``: 0 within the tolerances, 1 not."""
    refuse_aliases([arguments.json], [arguments.bundle])
    bundle = read_bundle(arguments.bundle)
    check_trust(bundle, machine_policy())
    made = validate_bundle(bundle, arguments.engine, arguments.threads)
    show([made], ["here"], arguments.json)
    return 0 if made.passed else 1


def show(validations: Sequence[Validation], names: Sequence[str], json: str | None) -> None:
    """Print the table, or write the last validation to ``json`` beside it; - is stdout alone."""
    if json == "-":
        print(validations[-1].to_json())
        return
    for line in validation_lines(validations, names):
        print(line)
    if json:
        try:
            Path(json).write_text(validations[-1].to_json() + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{json}: {error.strerror or error}") from error
