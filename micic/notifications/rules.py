"""What decides in sending: whom to tell, in which language, at which address, and what follows a try. Pure."""

import math
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from micic.notifications.templates import base_language

MAX_TRIES = 5
RESENDS_WITHOUT_WORD = 1  # of a life-safety message, when the provider cannot say whether it took it
BACK_OFF = timedelta(seconds=30)
ASK_AFTER = timedelta(seconds=15)
CHANNEL_DOWN = timedelta(seconds=30)
ADULT = timedelta(days=18 * 365.2425)
HELD = timedelta(days=36525)  # not due again by itself: a person decides


class Outcome(StrEnum):
    """What became of one try."""

    SENT = "sent"
    TEMPORARY = "temporary_failure"
    PERMANENT = "permanent_failure"
    UNCERTAIN = "uncertain"
    UNAVAILABLE = "unavailable"  # the provider as a whole: no try is counted
    RELEASED = "released"  # given back before anybody was dialled
    HELD = "held"  # in doubt, and not tried again
    ACCEPTED_BEFORE = "accepted_before"  # the provider says that an earlier try arrived
    EXPIRED = "expired"


# --- whom to tell ---


@dataclass(frozen=True)
class Member:
    """One of a household that a crossing has changed. `severity` None: the rule does not mean this person.

    `contact_point_id` is the best address that is theirs, if any; `told` counts the earlier messages of the rule in
    this event to this person, or to that address within the household.
    """

    migrant_id: uuid.UUID
    household_id: uuid.UUID
    is_head: bool
    lives_apart: bool
    protected: bool
    born_on: date | None
    language: str
    keeper_post_id: uuid.UUID
    severity: int | None
    country: str | None
    serving_post_id: uuid.UUID | None
    raised: bool
    contact_point_id: uuid.UUID | None
    sealed_address: bytes | None
    told: int


@dataclass(frozen=True)
class Affected:
    """A person whom the rule means, and the one who is written to for them; `reader` None: nobody can be."""

    person: Member
    reader: Member | None
    household_size: int


@dataclass(frozen=True)
class Recipient:
    """One message to be: the worst affected of those behind an address, its reader, and how many they are."""

    person: Member
    reader: Member
    household_size: int
    address: str
    persons: int


@dataclass(frozen=True)
class Audience:
    """Whom one campaign addresses, and how many affected persons it leaves out: no address, or told before."""

    recipients: list[Recipient]
    unreachable: int
    told_before: int

    @property
    def persons(self) -> int:
        """All whom the rule means."""
        return sum(one.persons for one in self.recipients) + self.unreachable + self.told_before


def choose_readers(members: Iterable[Member], *, today: date) -> list[Affected]:
    """Who is written to for each affected person: they themselves, else the head or an adult of the household.

    Nobody else is told about a member who lives apart or is protected.
    """
    households: dict[uuid.UUID, list[Member]] = {}
    for member in members:
        households.setdefault(member.household_id, []).append(member)
    affected = []
    for household in households.values():
        size = sum(not member.lives_apart for member in household)
        stand_in = min((m for m in household if _may_stand_in(m, today)), key=_head_then_eldest, default=None)
        for person in household:
            if person.severity is not None:
                is_alone = person.lives_apart or person.protected
                reader = person if person.contact_point_id else None if is_alone else stand_in
                affected.append(Affected(person, reader, 1 if reader and reader.lives_apart else max(size, 1)))
    return affected


def adult_born_by(today: date) -> date:
    """The latest birthday of an adult."""
    return today - timedelta(days=math.ceil(ADULT / timedelta(days=1)))


def _may_stand_in(member: Member, today: date) -> bool:
    if member.contact_point_id is None or member.lives_apart or member.protected:
        return False
    return member.is_head or member.born_on is None or member.born_on <= adult_born_by(today)


def _head_then_eldest(member: Member) -> tuple[bool, date, uuid.UUID]:
    return not member.is_head, member.born_on or date.max, member.migrant_id


def choose_audience(affected: Iterable[Affected], addresses: Mapping[uuid.UUID, str]) -> Audience:
    """One message per address; nobody twice in one event unless it was raised for somebody behind the address since
    they were told.

    `addresses` by contact point, normalised; a contact point that could not be opened is absent.
    """
    behind: dict[str, list[Recipient]] = {}
    unreachable = 0
    for one in affected:
        reader = one.reader
        address = addresses.get(reader.contact_point_id) if reader and reader.contact_point_id else None
        if reader is None or address is None:
            unreachable += 1
        else:
            recipient = Recipient(one.person, reader, one.household_size, address, 1)
            behind.setdefault(address, []).append(recipient)
    recipients, told_before = [], 0
    for people in behind.values():
        if any(one.person.raised or not one.reader.told for one in people):
            recipients.append(replace(min(people, key=_worst_first), persons=len(people)))
        else:
            told_before += len(people)
    return Audience(recipients, unreachable, told_before)


def _worst_first(one: Recipient) -> tuple[int, bool, bool, uuid.UUID]:
    return -(one.person.severity or 0), one.person != one.reader, not one.reader.is_head, one.person.migrant_id


def choose_language(wanted: str | None, of_post: Iterable[str], available: Collection[str]) -> str:
    """The person's language, else the post's in order, else English, else any (BCP 47, exact before base)."""
    for language in (*([wanted] if wanted else []), *of_post, "en"):
        if language in available:
            return language
        if base_language(language) in available:
            return base_language(language)
    return min(available)


# --- what follows a try ---


@dataclass(frozen=True)
class Step:
    """What becomes of a notification: its status, when it is due again, and the reason kept with it."""

    status: str
    due_in: timedelta = timedelta(0)
    reason: str | None = None


FINAL = {
    Outcome.SENT: "sent",
    Outcome.ACCEPTED_BEFORE: "sent",
    Outcome.PERMANENT: "permanent_failure",
    Outcome.EXPIRED: "expired",
}


def next_step(outcome: Outcome, tries: int, prior: str, reason: str | None = None) -> Step:
    """What follows `outcome`. `tries` counts those that ended in doubt or failure, this one included; `prior` is
    the status before the claim: a doubt stays a doubt until it is answered.
    """
    if outcome in FINAL:
        return Step(FINAL[outcome], reason=None if FINAL[outcome] == "sent" else reason)
    if outcome in (Outcome.RELEASED, Outcome.UNAVAILABLE):
        return Step(prior, CHANNEL_DOWN if outcome is Outcome.UNAVAILABLE else timedelta(0), reason)
    is_doubt = outcome is Outcome.UNCERTAIN or prior == "uncertain"
    if tries >= MAX_TRIES:
        last = f"{MAX_TRIES} tries: {reason}"[:60]
        return hold(last) if is_doubt else Step("permanent_failure", reason=last)
    pause = ASK_AFTER if outcome is Outcome.UNCERTAIN else BACK_OFF * 2 ** (tries - 1)
    return Step("uncertain" if is_doubt else "temporary_failure", pause, reason)


def hold(reason: str) -> Step:
    """Nobody knows whether it arrived, and it may not be sent again: a person decides."""
    return Step("uncertain", HELD, f"held: {reason}"[:60])


def may_resend(accepted: bool | None, doubts: int, life_safety: bool) -> bool:
    """Whether an uncertain message may be sent again, under the same Message-ID. `accepted` is the provider's word
    (False: it did not take it; None: it cannot say), `doubts` the tries that ended in doubt.
    """
    if accepted is False:
        return doubts < MAX_TRIES
    return accepted is None and life_safety and doubts <= RESENDS_WITHOUT_WORD
