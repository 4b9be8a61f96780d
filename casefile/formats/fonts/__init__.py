"""Fonts of a PDF: what it shows with them, what stands in for absent ones, programs made anew."""
