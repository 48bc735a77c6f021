"""Who may act, what the database lets them see, and how secrets are kept."""
