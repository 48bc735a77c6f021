"""Sending, on a real database and a real SMTP server."""
