"""The parser of the board command knows every verb, and loads no more than the one it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge_vc_runtime.arguments import build_parser, verb_parser
from edge_vc_runtime.verbs import VERBS

_LOADED = """
import sys
from edge_vc_runtime.cli import main
try:
    main([{verb!r}, "--help"])
except SystemExit:
    pass
sys.stderr.write(" ".join(name for name in sys.modules if name.startswith("edge_vc_runtime")))
"""


def names(parser: object) -> list[str]:
    return list(parser._subparsers._group_actions[0].choices)  # type: ignore[attr-defined]


def test_without_a_verb_it_knows_all() -> None:
    assert sorted(names(build_parser())) == sorted(VERBS)
    assert sorted(names(build_parser(verb="rum"))) == sorted(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_found_by_its_name(verb: str) -> None:
    assert verb in names(build_parser(verb=verb))
    assert verb_parser(verb).prog.endswith(verb)


def test_a_live_run_loads_no_other_verb() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(verb="run")],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stderr.split()
    assert "edge_vc_runtime.run_arguments" in loaded
    for other in ("commands", "install.commands", "latency.commands", "bundle_arguments"):
        assert f"edge_vc_runtime.{other}" not in loaded
