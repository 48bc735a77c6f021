"""The figures as values, and the few sums made of them. Pure: no database, no words for people."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

PRESENCES = ("inside", "possible", "unknown")
CHANGES = ("entered", "left", "raised", "lowered", "firmed", "loosened")
FEED_DARK_AFTER = 3
"""A feed is dark when nothing good came from it for this many of its intervals (TRUST R6)."""


@dataclass(frozen=True)
class Group:
    """The people of one presence, and how far they have been reached. Persons, except `households`."""

    persons: int = 0
    households: int = 0
    contactable: int = 0
    reached: int = 0
    answered: int = 0
    need_help: int = 0
    safe: int = 0

    @property
    def silent(self) -> int:
        """Who has not answered."""
        return self.persons - self.answered


@dataclass(frozen=True)
class SeverityCount:
    """People at one common severity (0 to 4)."""

    severity: int
    inside: int
    possible: int


@dataclass(frozen=True)
class Age:
    """How old the locations are that the exposures rest on: seconds, and how many persons they are of.

    Of one serving post, or of all (`post_name` None: all, or nobody serves them).
    """

    median_s: float
    p90_s: float
    persons: int
    older_than_a_day: int
    post_name: str | None = None

    @property
    def median(self) -> timedelta:
        return timedelta(seconds=self.median_s)

    @property
    def p90(self) -> timedelta:
        return timedelta(seconds=self.p90_s)


@dataclass(frozen=True)
class Coverage:
    """Registered against estimated people in one country. `is_complete` false: posts that are not the reader's
    serve the country too, so no share can be told.
    """

    country: str
    registered: int
    is_complete: bool
    low: int | None = None
    best: int | None = None
    high: int | None = None
    source: str | None = None
    as_of: date | None = None

    @property
    def share(self) -> float | None:
        """The part of those present who are registered, 0 to 1; None when it cannot be told."""
        if not self.is_complete or not self.best:
            return None
        return min(1.0, self.registered / self.best)


@dataclass(frozen=True)
class Estimate:
    """About how many are inside, registered or not, if they are spread as the registered are."""

    low: int
    best: int
    high: int


@dataclass(frozen=True)
class EventRow:
    """A situation in one line. `severity` None with zones in force: no source states it."""

    event_id: uuid.UUID
    title: str
    began_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    mode: str
    version: int
    hazards: list[Any] | None
    lifecycle: str | None
    own: bool
    severity: int | None
    zones: int
    inside: int
    possible: int
    entered: int
    left_out: int
    changed_at: datetime | None

    @property
    def net(self) -> int:
        """Entered less left, in the last crossing that changed anybody."""
        return self.entered - self.left_out

    @property
    def is_over(self) -> bool:
        """Whether nothing is in force, or the State has closed it."""
        return self.closed_at is not None or not self.zones


@dataclass(frozen=True)
class Figures:
    """The figures of one event: never without their time, age and coverage (RULES 6)."""

    event_id: uuid.UUID
    at: datetime
    groups: Mapping[str, Group]
    total: Group
    by_severity: tuple[SeverityCount, ...]
    age: Age | None
    age_by_post: tuple[Age, ...]
    coverage: tuple[Coverage, ...]
    estimate: Estimate | None = None


@dataclass(frozen=True)
class Change:
    """What one crossing changed for how many people, and why."""

    crossing_id: uuid.UUID
    recorded_at: datetime
    at: datetime
    change: str
    cause: str
    persons: int
    cause_id: uuid.UUID | None


@dataclass(frozen=True)
class Version:
    """One step in the life of an event: a version of its alert, an area declared or ended."""

    step_id: uuid.UUID
    cause: str
    kind: str
    status: str
    title: str
    severity: int | None
    native_severity: str | None
    at: datetime
    known_at: datetime
    feed: str | None
    native_version: str | None
    verdict: str
    zones: int
    crossing_id: uuid.UUID | None
    crossed_at: datetime | None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ZoneRow:
    """A zone in force, and the people whose exposure rests on it."""

    zone_id: uuid.UUID
    own: bool
    kind: str
    firm: bool
    basis: str
    severity: int | None
    native_severity: str | None
    label: str
    valid_from: datetime
    valid_until: datetime | None
    feed: str | None
    inside: int
    possible: int


@dataclass(frozen=True)
class CellRow:
    """The people of one map cell. `lat`, `lon`: the cell's middle, degrees."""

    lat: float
    lon: float
    persons: int
    inside: int
    possible: int
    severity: int


@dataclass(frozen=True)
class PersonRow:
    """One person in an event. `lat`, `lon` in degrees, None when only the country is known."""

    migrant_id: uuid.UUID
    presence: str
    severity: int
    country: str
    answer: str
    told_at: datetime | None
    serving_post_id: uuid.UUID | None
    reference: str
    family_name: str
    given_names: str
    family_name_original: str | None
    given_names_original: str | None
    protected: bool
    language: str
    source: str | None
    observed_at: datetime | None
    radius_class: int | None
    lat: float | None
    lon: float | None


@dataclass(frozen=True)
class CampaignRow:
    """A message to many, and how far it has got: `counts` by status of the notifications one may see."""

    campaign_id: uuid.UUID
    mode: str
    status: str
    drafted_at: datetime
    drafted_by: uuid.UUID | None
    approved_at: datetime | None
    approved_by: uuid.UUID | None
    recipients: int
    unreachable: int
    rule_name: str
    by_rule: bool
    counts: Mapping[str, int]
    visible: int
    last_at: datetime | None

    def count(self, *statuses: str) -> int:
        """Notifications in any of these states."""
        return sum(self.counts.get(status, 0) for status in statuses)


@dataclass(frozen=True)
class ListRow:
    """One version of one list. `changes` and `tiers` are counts."""

    list_id: uuid.UUID
    event_id: uuid.UUID
    post_id: uuid.UUID
    post_name: str
    kind: str
    mode: str
    version: int
    status: str
    line_count: int
    household_count: int
    changes: Mapping[str, Any]
    sha256: str
    as_of: datetime
    frozen_at: datetime
    frozen_by: uuid.UUID | None
    released_at: datetime | None
    released_by: uuid.UUID | None
    recipient_class: str | None
    is_latest: bool
    tiers: Mapping[str, int]

    @property
    def etag(self) -> str:
        """Changes with the content and with the release."""
        return f'"{self.sha256[:16]}-{self.status}"'


@dataclass(frozen=True)
class HeldAlert:
    """An alert that waits for a person's word."""

    message_id: uuid.UUID
    event_id: uuid.UUID
    feed: str
    title: str
    kind: str
    status: str
    test_suspected: str | None
    severity: int | None
    native_severity: str | None
    verdict_reasons: list[str]
    sent_at: datetime
    received_at: datetime
    sender: str
    valid_until: datetime | None
    headline: str
    zones: int

    @property
    def is_drill(self) -> bool:
        """Whether it says of itself that it is not real."""
        return self.status != "actual" or self.test_suspected is not None


@dataclass(frozen=True)
class FeedHealth:
    """How fresh a feed is. "No alert" means nothing while a feed is dark."""

    name: str
    cadence_s: int
    enabled: bool
    polled_at: datetime | None
    succeeded_at: datetime | None
    failures: int
    outcome: str | None
    reason: str | None
    ended_at: datetime | None
    created: int | None
    updated: int | None
    unchanged: int | None
    rejected: int | None
    is_dark: bool = False


@dataclass(frozen=True)
class Waiting:
    """What people must decide now."""

    alerts: tuple[HeldAlert, ...]
    lists: tuple[ListRow, ...]
    campaigns: tuple[CampaignRow, ...]

    @property
    def count(self) -> int:
        return len(self.alerts) + len(self.lists) + len(self.campaigns)


def estimate_inside(inside: int, coverage: tuple[Coverage, ...]) -> Estimate | None:
    """Spread the registered over the estimate, where the event concerns one country or all its countries can be told.

    A rule of three, and said to be one: it supposes that people register alike everywhere in the country.
    """
    told = [row for row in coverage if row.registered]
    if not inside or not told or any(row.share is None for row in told):
        return None
    registered = sum(row.registered for row in told)
    bounds = [sum(getattr(row, name) or 0 for row in told) for name in ("low", "best", "high")]
    low, best, high = (max(inside, round(inside * bound / registered)) for bound in bounds)
    return Estimate(low, best, high)


def is_dark(succeeded_at: datetime | None, cadence_s: int, now: datetime) -> bool:
    """Whether a feed has been silent for so long that its silence says nothing."""
    return succeeded_at is None or now - succeeded_at > timedelta(seconds=FEED_DARK_AFTER * cadence_s)


def sum_of(changes: list[Change]) -> dict[str, int]:
    """Persons by kind of change, every kind named."""
    totals = dict.fromkeys(CHANGES, 0)
    for change in changes:
        totals[change.change] += change.persons
    return totals
