"""The board command of a file that carries its bundle."""
