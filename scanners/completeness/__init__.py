"""What a case must have: a file for every case, every document it needs."""
