"""The board side stands on numpy alone, and importing it is free."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import edge_vc_runtime
from edge_vc_runtime.distributions import distribution_version

FORBIDDEN = {"torch", "onnx", "edge_vc", "edge_vc_export", "edge_vc_boards", "scipy", "librosa"}
LITERT = {"ai_edge_litert", "flatbuffers", "tflite_runtime"}  # the second comes with the first
SOUND = {"pyaudio", "sounddevice"}
SERVICES = {"prometheus_client", "pocketsphinx"}
OPTIONAL = {"onnxruntime", "soundfile", "soxr", "rich", "matplotlib", *SERVICES, *LITERT, *SOUND}
ALLOWED = {"numpy", "edge_vc_runtime", *OPTIONAL, *sys.stdlib_module_names}


def in_engine(path: Path) -> bool:
    """Whether a module is of an engine: loaded late, except its ``kind.py``."""
    return path.parent.name.endswith("_engine") and path.parent.parent.name == "engines"


def sources(root: Path) -> list[Path]:
    return sorted((root / "runtimes" / "edge_vc_runtime").rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(str(node.module).split(".")[0])
    return names


def test_no_module_names_the_host_side(project_root: Path) -> None:
    files = sources(project_root)
    assert len(files) > 10
    for path in files:
        named = imported(ast.parse(path.read_text()))
        assert not named & FORBIDDEN if in_engine(path) else named <= ALLOWED, path


def test_optional_packages_are_named_inside_functions_only(project_root: Path) -> None:
    for path in sources(project_root):
        tree = ast.parse(path.read_text())
        top = ast.Module([n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)], [])
        if not in_engine(path) or path.name == "kind.py":
            assert imported(top) <= ALLOWED - OPTIONAL, path


def test_source_is_python_3_10(project_root: Path) -> None:
    for path in sources(project_root):
        ast.parse(path.read_text(), feature_version=(3, 10))


def test_everything_loads_without_the_host_side(project_root: Path) -> None:
    names = [
        path.relative_to(project_root / "runtimes").with_suffix("").as_posix().replace("/", ".")
        for path in sources(project_root)
        if path.stem not in ("__init__", "__main__")
    ]
    script = f"""
import importlib, sys
for name in {names!r}:
    importlib.import_module(name)
print(sorted({FORBIDDEN!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.stdout == b"[]\n", done.stderr


@pytest.mark.parametrize(
    "module", ["edge_vc_runtime", "session", "live.offline", "cli", "profiling.profiler"]
)
def test_importing_loads_nothing_optional(module: str) -> None:
    name = module if module == "edge_vc_runtime" else f"edge_vc_runtime.{module}"
    script = f"import sys, {name}; print(sorted({OPTIONAL | FORBIDDEN!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.stdout == b"[]\n", done.stderr


@pytest.mark.parametrize("package", ["edge_vc_runtime", "edge_vc"])
def test_ctrl_c_while_the_program_is_loaded_is_no_traceback(package: str) -> None:
    script = f"""
import sys

class Interrupted:
    @staticmethod
    def find_spec(name, *_):
        if name == "{package}.cli":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted)
from {package}.__main__ import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, b"")


def test_versions_are_those_of_the_packaging_library() -> None:
    known = {
        d.metadata["Name"]: metadata.version(d.metadata["Name"]) for d in metadata.distributions()
    }
    assert "numpy" in known
    assert {name: distribution_version(name) for name in known} == known
    assert distribution_version("no-such-distribution") is None


def test_opening_a_bundle_loads_no_packaging_library(project_root: Path) -> None:
    bundle = project_root / "edge_vc" / "assets" / "kathleen-nano.evc"
    script = f"""
import sys
from edge_vc_runtime.session import Session
Session.open({str(bundle)!r})
print("importlib.metadata" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.stdout == b"False\n", done.stderr


def test_public_names_are_where_the_package_says() -> None:
    for name in edge_vc_runtime.__all__:
        assert getattr(edge_vc_runtime, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Sesion'"):
        _ = edge_vc_runtime.Sesion
    script = "import sys, edge_vc_runtime; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.stdout == b"False\n"
