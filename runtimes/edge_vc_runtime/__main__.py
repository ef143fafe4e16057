"""``python -m edge_vc_runtime`` is the board command."""

from edge_vc_runtime.cli import main

raise SystemExit(main())
