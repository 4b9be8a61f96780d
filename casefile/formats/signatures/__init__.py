"""Electronic signatures and timestamps: making and judging them."""
