"""Migrants and their households, where they are, and how to reach them."""
