"""Office documents, tables, mails and plain text: reading, filling, making them calm."""
