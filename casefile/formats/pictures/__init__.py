"""Photographs and scans, frame by frame, onto pages."""
