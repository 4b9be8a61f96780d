"""The nouns of the field: frozen dataclasses and enums, standard library only, no clock, no files."""
