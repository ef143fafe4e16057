"""The one version of both distributions, where their build configurations read it."""

__version__ = "0.1.0"
