"""The crossing: who is in which zone, how sure, since when, and what changed."""
