"""The version of both distributions, read by their build configurations."""

__version__ = "0.1.0"
