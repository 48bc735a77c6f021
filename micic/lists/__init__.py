"""Evacuation and assistance lists: frozen, versioned, hashed snapshots with a reason on every line."""
