"""Fixtures of the assembling tests."""

from small_house import desk, house, make_case

__all__ = ["desk", "house", "make_case"]
