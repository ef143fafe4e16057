"""The board command of an executable file that contains its bundle."""
