"""Rules of procedure: deadlines, order, conditions."""
