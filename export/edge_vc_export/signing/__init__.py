"""Sign bundles with the user's own OpenSSH: keys, signatures, the signed archive."""
