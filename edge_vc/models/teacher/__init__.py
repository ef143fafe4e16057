"""The default teacher network: configuration, blocks, head and its file."""
