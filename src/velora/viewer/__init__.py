"""A run on a web page or in the terminal."""
