"""The wheels that a board needs: their list, collected here, and built if nobody publishes them."""
