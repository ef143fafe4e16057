"""Why a bundle was not installed, one line each."""

from __future__ import annotations


class InstallError(Exception):
    """Something that was refused or could not be written; what was installed stays."""


class InstallCheckError(InstallError):
    """A bundle whose golden recording or health check failed here; what ran before runs again."""
