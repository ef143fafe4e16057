"""Installation of bundles on a board over SSH: verified, reversible, run as a service."""
