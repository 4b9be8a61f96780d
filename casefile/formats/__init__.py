"""File formats: the only importers of PDF, office, picture and signature libraries, one family a folder."""
