"""What must not be stored, shown or published: state secrets and personal information."""
