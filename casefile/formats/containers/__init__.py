"""What holds other files: ZIP and 7z from outside, transfer bags and the archive's OCFL objects."""
