"""`python -m micic.cli`."""

from micic.cli import app

app()
