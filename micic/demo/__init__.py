"""The believable world: an invented crisis, its feeds, its mail provider, its people. Nothing in it is real.

May import every capability; only the command line and the tests import it.
"""
