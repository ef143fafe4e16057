"""Writes ``docs/reference/licences.md`` from the metadata of what is installed: ``make locks``."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "licences.md"
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;]+)", re.MULTILINE)
RECIPROCAL = re.compile(r"GPL|MPL|EUPL|EPL|CDDL|Mozilla", re.IGNORECASE)
"""Licences that ask something of who passes the package on."""
CARRIED = {
    "espeakng-loader": "carries eSpeak NG, GPL-3.0-or-later; which runs in a process of its own",
    "soundfile": "its wheels carry libsndfile, LGPL-2.1-or-later, as a library of its own",
    "soxr": "its wheels carry libsoxr, LGPL-2.1-or-later",
}
"""Libraries inside of wheels, which the metadata do not name."""
NOTHING = ("", "unknown", "none", "n/a", "see license", "see licence")
"""What packaging tools write where no licence was stated."""
INTRO = """\
# Licences of dependencies

What `constraints.txt` pins, under the licence that each package states in its metadata. Made by
`make locks`; a test compares it with the pins. Edge VC itself is Apache-2.0, the shipped weights
and bundles are CC0-1.0. Nothing of the packages below is part of the distributions `edge-vc` and
`edge-vc-runtime`: pip installs them beside. Who passes on an image or a container with them inside
passes them on as well.

`requirements/host.txt` and `requirements/runtime.txt` hold the same pins with the hashes of every
file:

```console
$ pip install --require-hashes -r requirements/runtime.txt
$ pip install --no-deps edge-vc-runtime
```

A build of torch from another index than the usual one has hashes of its own: install it first,
without its lines in the file.

Not pinned, since its dependencies are not wanted: `distillmos` 0.9.1 (MIT), whose weights
`edge-vc evaluate` reads where it is installed.
"""


def licence_page() -> str:
    """Return the page: what asks something, what names nothing, and everything."""
    pins = [(name, version) for name, version in PIN.findall(_read("constraints.txt"))]
    named = {name: licence_of(name) for name, _ in pins}
    board = _names(_read("requirements/runtime.txt"))
    rows = [
        f"| {name} | {version} | {named[name] or _unknown(name)} | "
        f"{'board and host' if canonicalize_name(name) in board else 'host'} |"
        for name, version in pins
    ]
    asking = [
        f"- **{name}**: {named[name] or 'no licence in its metadata'}"
        + (f"; {CARRIED[name]}" if name in CARRIED else "")
        for name, _ in pins
        if name in CARRIED or RECIPROCAL.search(named[name])
    ]
    unnamed = [f"- **{name}** {_fact(name)}" for name, _ in pins if not named[name]]
    return "\n".join(
        [
            INTRO,
            "## Licences with conditions on passing on\n",
            *asking,
            "\n## Without a licence in the metadata\n",
            *unnamed,
            "\n## All\n",
            "| package | version | licence | where |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def licence_of(name: str) -> str:
    """Return the licence that a package states, empty for none or a package not installed."""
    found = _installed(name)
    if found is None:
        return ""
    said = found.metadata
    expression = said.get("License-Expression") or ""
    classes = [
        line.rpartition(" :: ")[2]
        for line in said.get_all("Classifier") or []
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    text = (said.get("License") or "").strip()
    short = text if "\n" not in text and len(text) <= 60 and text.lower() not in NOTHING else ""
    return (expression or ", ".join(classes) or short).replace("|", "/")


def _unknown(name: str) -> str:
    return "not named" if _installed(name) else "not installed here"


def _fact(name: str) -> str:
    """Return what is known of a package whose metadata name no licence."""
    found = _installed(name)
    if found is None:
        return "(not installed where this page was made)"
    for file in found.files or []:
        if re.match(r"(licen[cs]e|copying)", file.name, re.IGNORECASE):
            lines = file.locate().read_text(encoding="utf-8", errors="replace").splitlines()
            first = next((line.strip(" #*=") for line in lines if line.strip(" #*=")), "")
            return f"(its file {file.name} begins: “{first[:70]}”)"
    return "(and no licence file)"


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _names(text: str) -> set[str]:
    return {canonicalize_name(name) for name, _ in PIN.findall(text)}


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


if __name__ == "__main__":
    PAGE.write_text(licence_page(), encoding="utf-8")
