"""``python -m edge_vc`` is the host command."""

from edge_vc.cli import main

main()
