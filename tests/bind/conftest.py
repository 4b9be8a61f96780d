"""Fixtures of the binding tests; what makes parts is in :mod:`conftest_bind`."""

from conftest_bind import binding_context, case, compiler, make

__all__ = ["binding_context", "case", "compiler", "make"]
