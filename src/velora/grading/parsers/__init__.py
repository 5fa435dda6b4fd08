"""Test log parsers, one pure module for each framework."""
