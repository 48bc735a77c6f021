"""The registry: posts, people abroad, who is exposed, lists, messages. Imports alerts and geo, never back."""

__version__ = "0.1.0"
