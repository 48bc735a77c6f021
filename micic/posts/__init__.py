"""States, consular posts, jurisdictions and staff."""
