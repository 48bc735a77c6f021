"""The command line: one door to the same services as pages and API. `./run micic --help`.

Thin: it reads arguments, opens the deployment, calls one service, prints. An act of a person asks for the person's
login and password, because it is a person's act.
"""

from micic.cli.commands import app

__all__ = ["app"]
