"""Who stands on a list, who is served first, and why: RULES 5 as plain functions over plain values.

What may rank a person is the fields of `Facts` and nothing else: nationality, sex, religion, status, rank, channel,
language, source and order of registration have no way in. Pure; imports no database.
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from micic.cases.rules import GONE, News, Trust

RULE_SET = "2026.1"
NEED_STATED, NEED_NOT_STATED = 0, 1


class ListKind(StrEnum):
    """Whom a list is about: everybody to be helped, or those to be moved."""

    ASSISTANCE = "assistance"
    EVACUATION = "evacuation"


class Presence(StrEnum):
    """How sure it is that somebody is where it is bad. `safe_area`: with the household, outside every zone."""

    INSIDE = "inside"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    SAFE_AREA = "safe_area"


class Tier(IntEnum):
    """The ordered tiers of RULES 5."""

    LIFE_AT_RISK = 1
    MEDICAL = 2
    CHILD_ALONE = 3
    VULNERABLE = 4
    HAZARD = 5


class Departure(StrEnum):
    """Why somebody who stood on the previous version stands on this one no more."""

    LEFT_AREA = "left_area"
    DEPARTED = "departed"
    DECEASED = "deceased"
    ERASED = "erased"
    MOVED_POST = "moved_post"
    BELOW_THRESHOLD = "below_threshold"
    HOUSEHOLD = "household"


@dataclass(frozen=True)
class ListPolicy:
    """The thresholds: data per deployment, shown to and changed by an operator.

    Severities 0-4. `supply_out_days`: a medical need with this many days of supply left, or fewer, puts life at
    risk now. `unstated_supply_days`: what an unstated supply counts as. `settle_s`: lists are made again for small
    changes at most this often; a new message version or declaration does not wait. `refresh_s`: how often a list
    of an open situation is looked at again though nothing is known to have changed.
    """

    evacuate_inside_from: int = 3
    evacuate_possible_from: int = 4
    severity_if_unknown: int = 3
    adult_from_years: int = 18
    infant_below_years: int = 2
    elderly_from_years: int = 65
    supply_out_days: int = 0
    unstated_supply_days: int = 7
    settle_s: int = 60
    refresh_s: int = 300

    @property
    def rule_set(self) -> str:
        """The version of the rules with, where thresholds are not the defaults, a digest of them."""
        if self == DEFAULT_POLICY:
            return RULE_SET
        return f"{RULE_SET}+{hashlib.sha256(repr(asdict(self)).encode()).hexdigest()[:8]}"


DEFAULT_POLICY = ListPolicy()


@dataclass(frozen=True)
class OpenNeed:
    """A need that is open: its code, the tier its code list gives it, and the days of supply left today."""

    code: str
    tier: int
    days_left: int | None = None


@dataclass(frozen=True)
class Facts:
    """All that may rank a person. `asks_for_help`: said so, and not yet said with what."""

    migrant_id: uuid.UUID
    household_id: uuid.UUID
    presence: Presence
    severity_inside: int | None = None
    severity_possible: int | None = None
    severity_stated: bool = True
    age_years: int | None = None
    lives_apart: bool = False
    needs: tuple[OpenNeed, ...] = ()
    asks_for_help: bool = False
    injured: bool = False

    @property
    def severity(self) -> int | None:
        """The worst that is known or possible where the person may be. Certainty decides no seat."""
        known = [level for level in (self.severity_inside, self.severity_possible) if level is not None]
        return max(known, default=None)

    @property
    def is_concerned(self) -> bool:
        """Whether the person is, or may be, where it is bad."""
        return self.presence is not Presence.SAFE_AREA


@dataclass(frozen=True)
class Standing:
    """A person whom a list may be about: what ranks them, and what puts them on it or takes them off.

    `served_here`: it is this post that serves the place. `seen_at`: the latest observation of the person there.
    """

    facts: Facts
    served_here: bool
    state_of_record: str
    news: News
    seen_at: datetime | None = None


# --- who stands on it ---


def gone(person: Standing) -> Departure | None:
    """Why the person stands on no list of this event, if so. An answer "safe" is no reason, at any trust.

    A departure counts when it was observed (authenticated), and only until the person was observed again after it.
    """
    if person.state_of_record == "deceased":
        return Departure.DECEASED
    news = person.news
    if news.movement in GONE and news.movement_trust is Trust.AUTHENTICATED:
        assert news.movement_at is not None
        if not (person.facts.is_concerned and person.seen_at and person.seen_at > news.movement_at):
            return Departure.DEPARTED
    if person.state_of_record == "returned" and not person.facts.is_concerned:
        return Departure.LEFT_AREA
    return None


def calls_household(facts: Facts, kind: ListKind, policy: ListPolicy) -> bool:
    """Whether this person puts the whole household on the list of this kind."""
    if kind is ListKind.ASSISTANCE:
        return facts.is_concerned
    inside, possible = facts.severity_inside, facts.severity_possible
    return (inside is not None and inside >= policy.evacuate_inside_from) or (
        facts.presence in (Presence.INSIDE, Presence.POSSIBLE)
        and possible is not None
        and possible >= policy.evacuate_possible_from
    )


def choose(
    people: Iterable[Standing], kind: ListKind, policy: ListPolicy
) -> tuple[list[Standing], dict[uuid.UUID, Departure]]:
    """Who stands on the list, households whole; and, of the others, why they do not."""
    off: dict[uuid.UUID, Departure] = {}
    households: dict[uuid.UUID, list[Standing]] = defaultdict(list)
    for person in people:
        if reason := gone(person):
            off[person.facts.migrant_id] = reason
        else:
            households[person.facts.household_id].append(person)
    on: list[Standing] = []
    for members in households.values():
        if any(one.served_here and calls_household(one.facts, kind, policy) for one in members):
            on.extend(members)
        else:
            off.update({one.facts.migrant_id: _why_not_called(one) for one in members})
    return on, off


def _why_not_called(person: Standing) -> Departure:
    if not person.facts.is_concerned:
        return Departure.HOUSEHOLD
    return Departure.BELOW_THRESHOLD if person.served_here else Departure.MOVED_POST


# --- who is served first ---

Reason = tuple[Tier, tuple[int, int], str]
"""A tier, how urgent within it (smaller is earlier), and the words for it."""


@dataclass(frozen=True)
class Assessment:
    """The place of one person among the tiers, with the sentence that stands on the line."""

    tier: Tier
    urgency: tuple[int, int]
    severity: int
    sentence: str
    child_alone: bool = False

    @property
    def key(self) -> tuple[int, tuple[int, int], int]:
        """Smaller is served earlier."""
        return self.tier, self.urgency, -self.severity


@dataclass(frozen=True)
class Ranked:
    """One line in order: whose, the household's rank (from 1), the member's place in it, and how many they are."""

    facts: Facts
    assessment: Assessment
    household_rank: int
    member_no: int
    household_size: int


def rank(people: Sequence[Facts], policy: ListPolicy, seed: str) -> list[Ranked]:
    """The people in the order in which they are served. A household stands where its highest member stands and is
    never torn apart; ties are broken by a hash of `seed` (event and rule-set version), the same for everybody.
    """
    households: dict[uuid.UUID, list[Facts]] = defaultdict(list)
    for facts in people:
        households[facts.household_id].append(facts)
    ordered = []
    for household_id, members in households.items():
        assessed = [(assess(facts, members, policy), facts) for facts in members]
        assessed.sort(key=lambda pair: (pair[0].key, _lot(seed, pair[1].migrant_id)))
        ordered.append((assessed[0][0].key, _lot(seed, household_id), assessed))
    ordered.sort(key=lambda household: household[:2])
    return [
        Ranked(facts, assessment, household_rank, member_no, len(assessed))
        for household_rank, (_, _, assessed) in enumerate(ordered, 1)
        for member_no, (assessment, facts) in enumerate(assessed, 1)
    ]


def _lot(seed: str, subject: uuid.UUID) -> bytes:
    return hashlib.sha256(f"{seed}:{subject}".encode()).digest()


def assess(facts: Facts, household: Sequence[Facts], policy: ListPolicy) -> Assessment:
    """The tier of one person, how urgent within it, and why, in words."""
    reasons = [
        *_reasons_of_needs(facts, policy),
        *_reasons_of_age(facts, household, policy),
        (Tier.HAZARD, (NEED_STATED, 0), ""),
    ]
    tier, urgency, _ = min(reasons)
    words = [reason for _, _, reason in sorted(reasons) if reason]
    return Assessment(
        tier=tier,
        urgency=urgency,
        severity=facts.severity or 0,
        sentence="; ".join([*words, hazard_words(facts)]),
        child_alone=any(found is Tier.CHILD_ALONE for found, _, _ in reasons),
    )


def _reasons_of_needs(facts: Facts, policy: ListPolicy) -> Iterable[Reason]:
    if facts.injured:
        yield Tier.LIFE_AT_RISK, (NEED_STATED, 0), "injured"
    if facts.asks_for_help:
        yield Tier.LIFE_AT_RISK, (NEED_NOT_STATED, 0), "asks for help, not said what"
    for need in facts.needs:
        yield _reason_of_need(need, policy)


def _reason_of_need(need: OpenNeed, policy: ListPolicy) -> Reason:
    """Days of supply order the first two tiers only; a medical supply that is out puts life at risk now."""
    words = need.code.replace("_", " ")
    if need.days_left is not None:
        words += f", {need.days_left} {'day' if need.days_left == 1 else 'days'} left"
    if need.tier > Tier.MEDICAL:
        return Tier(need.tier), (NEED_STATED, 0), words
    if need.days_left is None:
        unstated = policy.unstated_supply_days if need.tier == Tier.MEDICAL else 0
        return Tier(need.tier), (NEED_STATED, unstated), words
    is_out = need.days_left <= policy.supply_out_days
    return Tier.LIFE_AT_RISK if is_out else Tier(need.tier), (NEED_STATED, need.days_left), words


def _reasons_of_age(facts: Facts, household: Sequence[Facts], policy: ListPolicy) -> Iterable[Reason]:
    age = facts.age_years
    if age is None:
        return
    if age < policy.adult_from_years and (words := _child_alone(facts, household, policy)):
        yield Tier.CHILD_ALONE, (NEED_STATED, 0), words
    if age < policy.infant_below_years:
        yield Tier.VULNERABLE, (NEED_STATED, 0), "infant"
    if age >= policy.elderly_from_years and not _younger_adults(facts, household, policy):
        yield Tier.VULNERABLE, (NEED_STATED, 0), "elderly alone"


def _child_alone(child: Facts, household: Sequence[Facts], policy: ListPolicy) -> str:
    """A child without an adult of the household. Somebody whose age is not known counts as an adult."""
    adults = [one for one in household if one.age_years is None or one.age_years >= policy.adult_from_years]
    if not adults:
        return "unaccompanied child"
    near = [one for one in adults if not one.lives_apart and (one.is_concerned or not child.is_concerned)]
    return "separated child" if child.lives_apart or not near else ""


def _younger_adults(elder: Facts, household: Sequence[Facts], policy: ListPolicy) -> bool:
    return any(
        not one.lives_apart
        and not elder.lives_apart
        and (one.age_years is None or policy.adult_from_years <= one.age_years < policy.elderly_from_years)
        for one in household
        if one is not elder
    )


def hazard_words(facts: Facts) -> str:
    """Where the person is to the hazard, in words."""
    stated = "" if facts.severity_stated else " (not stated)"
    severity = f"severity {facts.severity}{stated}"
    if facts.presence is Presence.INSIDE:
        worse = facts.severity_possible is not None and facts.severity_possible > (facts.severity_inside or 0)
        more = f", possibly {facts.severity_possible}" if worse else ""
        return f"inside zone severity {facts.severity_inside}{stated}{more}"
    if facts.presence is Presence.POSSIBLE:
        return f"possibly inside zone {severity}"
    if facts.presence is Presence.UNKNOWN:
        return f"whereabouts unknown, event {severity}"
    return "outside the zones, with the household"
