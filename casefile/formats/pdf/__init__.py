"""PDF: reading, repairing, comparing, laying out, joining."""
