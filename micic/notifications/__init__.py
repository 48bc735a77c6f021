"""Alert-driven messages to people, and their answers."""
