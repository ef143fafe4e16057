"""What each stage of `compress` does."""
