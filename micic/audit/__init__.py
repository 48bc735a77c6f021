"""Who did what, when and why: append-only, ids only."""
