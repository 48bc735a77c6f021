"""The acts that several tests of lists begin with."""

from datetime import timedelta

from micic.lists.models import PersonList
from micic.lists.reading import Line
from micic.lists.rules import ListKind
from micic.lists.service import freeze_list, read_lines, release_list
from micic.security.principal import Principal
from tests.lists.builders import NOW, World

ASSISTANCE, EVACUATION = ListKind.ASSISTANCE, ListKind.EVACUATION


def freeze(
    world: World,
    kind: ListKind = ASSISTANCE,
    *,
    minutes: int = 0,
    post: int = 0,
    principal: Principal | None = None,
) -> PersonList:
    """Freeze as the system, or as somebody."""
    who = principal or world.system
    with world.as_(who) as session:
        return freeze_list(
            session,
            who,
            world.vault(session),
            world.event_id,
            world.posts[post],
            kind,
            now=NOW + timedelta(minutes=minutes),
        )


def lines_of(world: World, version: PersonList, principal: Principal | None = None) -> list[Line]:
    """Read as the system, or as somebody."""
    who = principal or world.system
    with world.as_(who) as session:
        return read_lines(session, who, world.vault(session), version.list_id, now=NOW)


def release(world: World, version: PersonList, recipient: str, principal: Principal | None = None) -> PersonList:
    """Release as the approver, or as somebody."""
    who = principal or world.releaser
    with world.as_(who) as session:
        return release_list(session, who, version.list_id, recipient, "Duty desk", now=NOW + timedelta(minutes=5))
