"""The human-written texts of a manifest: name, version, licence and consent."""

from __future__ import annotations

from typing import NamedTuple

from edge_vc_runtime.bundle.entries import NAME
from edge_vc_runtime.schema.fields import LINE, Fields

VERSION = r"\d{1,6}(\.\d{1,6}){0,3}([.+-]?[A-Za-z0-9.+-]{1,32})?"


class Description(NamedTuple):
    """The descriptive texts of a bundle."""

    name: str
    version: str
    licence: str
    """SPDX identifier."""
    consent: str
    """How the owner of the voice gave consent."""


def read_description(fields: Fields) -> Description:
    """Read the four texts; raises `FieldError` for one that no reader accepts."""
    return Description(
        name=fields.text("name", NAME, 64),
        version=fields.text("version", VERSION, 64),
        licence=fields.text("licence", LINE, 200),
        consent=fields.text("consent"),
    )
