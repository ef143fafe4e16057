"""Edge VC, host side: compress a voice-conversion teacher into a bundle and evaluate it."""

from edge_vc_runtime import __version__

__all__ = ["__version__"]
