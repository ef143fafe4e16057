"""The wheels that a board needs: which, collected here, and made where nobody publishes them."""
