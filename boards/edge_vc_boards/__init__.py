"""Boards as data: profiles, deployment and estimates, on top of `edge_vc_runtime` alone."""
