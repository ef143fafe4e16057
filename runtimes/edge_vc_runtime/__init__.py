"""The board side of Edge VC: bundles are opened, run and measured here, with numpy alone."""

__version__ = "0.1.0"
