"""Errors of installing a bundle, one line each."""

from __future__ import annotations


class InstallError(Exception):
    """Something was rejected or could not be written; the installation is unchanged."""


class InstallCheckError(InstallError):
    """A bundle's golden recording or health check failed here; the previous release is restored."""
