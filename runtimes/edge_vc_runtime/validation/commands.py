"""The ``validate`` command, from parsed arguments to an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.trust import check_trust, machine_policy
from edge_vc_runtime.validation.table import validation_lines
from edge_vc_runtime.validation.validation import Validation, validate_bundle


def validate(arguments: argparse.Namespace) -> int:
    """``validate BUNDLE``: 0 within the tolerances, otherwise 1."""
    bundle = read_bundle(arguments.bundle)
    check_trust(bundle, machine_policy())
    made = validate_bundle(bundle, arguments.engine, arguments.threads)
    show([made], ["here"], arguments.json)
    return 0 if made.passed else 1


def show(validations: Sequence[Validation], names: Sequence[str], json: str | None) -> None:
    """Print the table and write the last validation to ``json``; for ``-`` only to stdout."""
    if json == "-":
        print(validations[-1].to_json())
        return
    for line in validation_lines(validations, names):
        print(line)
    if json:
        write_whole(json, validations[-1].to_json() + "\n")
