"""Who acts: a member of staff with posts, roles and a purpose, or the system itself for one State."""

import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum

from micic.errors import NotPermitted, PurposeMissing
from micic.security.context import Context


class Role(StrEnum):
    """What somebody is at a post."""

    OFFICER = "officer"
    CRISIS_CELL = "crisis_cell"
    APPROVER = "approver"
    RESPONDER = "responder"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    SYSTEM = "system"


class Permission(StrEnum):
    """An act that needs leave."""

    READ_SITUATION = "read_situation"
    READ_PERSONS = "read_persons"
    REGISTER = "register"
    RECORD_NEWS = "record_news"
    DECIDE_ALERT = "decide_alert"
    DECLARE_AREA = "declare_area"
    FREEZE_LIST = "freeze_list"
    RELEASE_LIST = "release_list"
    DRAFT_MESSAGE = "draft_message"
    APPROVE_MESSAGE = "approve_message"
    STOP_MESSAGE = "stop_message"
    READ_AUDIT = "read_audit"
    OPERATE = "operate"


P = Permission
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OFFICER: frozenset({P.READ_SITUATION, P.READ_PERSONS, P.REGISTER, P.RECORD_NEWS, P.DRAFT_MESSAGE}),
    Role.CRISIS_CELL: frozenset(
        {
            P.READ_SITUATION,
            P.READ_PERSONS,
            P.RECORD_NEWS,
            P.DECIDE_ALERT,
            P.DECLARE_AREA,
            P.FREEZE_LIST,
            P.DRAFT_MESSAGE,
            P.STOP_MESSAGE,
        }
    ),
    Role.APPROVER: frozenset({P.READ_SITUATION, P.READ_PERSONS, P.RELEASE_LIST, P.APPROVE_MESSAGE, P.STOP_MESSAGE}),
    Role.RESPONDER: frozenset(),
    Role.AUDITOR: frozenset({P.READ_AUDIT}),
    Role.OPERATOR: frozenset({P.OPERATE, P.STOP_MESSAGE}),
    Role.SYSTEM: frozenset(Permission) - {P.RELEASE_LIST, P.APPROVE_MESSAGE, P.DECLARE_AREA, P.DECIDE_ALERT},
}


@dataclass(frozen=True)
class Principal:
    """The one who acts. `staff_id` is None for the system."""

    state: str
    staff_id: uuid.UUID | None
    posts: tuple[uuid.UUID, ...] = ()
    roles: frozenset[Role] = field(default_factory=frozenset)
    purpose: str = ""
    display_name: str = ""

    @classmethod
    def system(cls, state: str) -> "Principal":
        """The worker, acting for one State."""
        return cls(state, None, roles=frozenset({Role.SYSTEM}), purpose="automatic processing", display_name="system")

    @property
    def actor(self) -> str:
        """How the audit names the one who acts: an id, never a name."""
        return str(self.staff_id) if self.staff_id else "system"

    def for_purpose(self, purpose: str) -> "Principal":
        """The same principal with the purpose of this request."""
        return replace(self, purpose=purpose)

    def context(self) -> Context:
        """The database context that goes with this principal."""
        role = min(self.roles, default=Role.RESPONDER)
        return Context(self.state, self.posts, role, self.purpose)

    def may(self, permission: Permission) -> bool:
        """Whether any of the roles grants `permission`."""
        return any(permission in ROLE_PERMISSIONS[role] for role in self.roles)


def require(principal: Principal, permission: Permission, *, post_id: uuid.UUID | None = None) -> None:
    """Raise NotPermitted unless the principal may act so, and at that post.

    Reading persons needs a purpose as well (TRUST T2): raises PurposeMissing.
    """
    if not principal.may(permission):
        raise NotPermitted(f"Your role does not allow this act: {permission.replace('_', ' ')}.")
    if post_id is not None and principal.staff_id is not None and post_id not in principal.posts:
        raise NotPermitted("This belongs to a post that is not yours.")
    if permission is Permission.READ_PERSONS and not principal.purpose:
        raise PurposeMissing
