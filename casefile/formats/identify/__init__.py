"""What a file is and what it says of itself, by its content and never by its name."""
