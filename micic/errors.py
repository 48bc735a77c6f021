"""The errors that a capability may raise. The docstring is the message; `kind` maps to a status at the doors.

May import nothing of the product.
"""

from typing import ClassVar


class MicicError(Exception):
    """Something was refused."""

    kind: ClassVar[str] = "refused"

    def __init__(self, detail: str = "", *, field: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.field = field
        super().__init__(self.detail)


class NotFound(MicicError):
    """There is no such record, or it is not yours to see."""

    kind = "not_found"


class NotPermitted(MicicError):
    """Your role does not allow this act."""

    kind = "not_permitted"


class PurposeMissing(MicicError):
    """Reading persons needs a purpose: name the event or case you are working on."""

    kind = "purpose_missing"


class Invalid(MicicError):
    """The value cannot be used."""

    kind = "invalid"


class Conflict(MicicError):
    """The record was changed by somebody else, or the act was already done."""

    kind = "conflict"


class FourEyes(MicicError):
    """A second person must do this: the one who prepared it may not release it."""

    kind = "four_eyes"


class NotSignedIn(MicicError):
    """Sign in first."""

    kind = "not_signed_in"
