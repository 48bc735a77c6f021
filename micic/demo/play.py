"""The recorded crisis, played through the whole chain: feeds polled by the real fetcher, people by real services.

The director publishes one stage of the crisis after another, waits until the worker has nothing left to do, and in
between does what people do: release lists, declare an area, answer the mails, ask for the next version of a list.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from shapely.geometry import shape
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from alerts.models import FeedFetch
from micic.clock import utc_now
from micic.demo.crisis import Crisis
from micic.demo.feed_server import FeedServer
from micic.demo.mail_catcher import CaughtMessage, MailCatcher
from micic.demo.summary import read_alerts, read_mail, read_state
from micic.demo.supervisor import Supervisor
from micic.deployment import Deployment
from micic.exposure.models import Crossing
from micic.geography import countries_touching
from micic.lists.models import PersonList
from micic.lists.rules import ListKind
from micic.lists.service import freeze_list, release_list
from micic.notifications.models import Campaign, Notification, Reply
from micic.notifications.service import approve_campaign
from micic.posts.models import ConsularPost, Staff, StaffRole
from micic.registry.vault import Vault
from micic.security.context import Context, set_context
from micic.security.principal import Principal, Role
from micic.watch.models import DeclaredArea, Situation
from micic.watch.service import AreaDraft, declare_area

STATES = ("MAR", "PHL")
IDLE_TIMEOUT_S = 300.0
REPLIES_PER_STATE = 120
ONE_IN_NEEDS_HELP = 5

Say = Callable[[str], None]


@dataclass
class Director:
    """Plays the script once. `say` shows progress."""

    deployment: Deployment
    crisis: Crisis
    feeds: FeedServer
    catcher: MailCatcher
    worker: Supervisor
    web_url: str
    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    def play(self) -> None:
        """The whole script."""
        self._publish("origin")
        published_at = self._publish("shakemap-1")
        self._measure(published_at)
        self._release_lists("civil_protection")
        self._declare()
        self._publish("shakemap-2")
        self._answer()
        self._ask_for_next_version()
        self._publish("shakemap-3")
        self._publish("cancel")

    def summary(self) -> dict[str, Any]:
        """What it came to. `whole` says whether the chain is."""
        found: dict[str, Any] = _patiently(self._count)
        found["whole"] = is_whole(found)
        return found

    def _count(self) -> dict[str, Any]:
        now = utc_now()
        sessions = self.deployment.sessions("micic_worker")
        states = {state: read_state(sessions, state, now) for state in STATES}
        lists = [{"state": state, **entry} for state, found in states.items() for entry in found.pop("lists")]
        return {
            "posts": sum(state["posts"] for state in states.values()),
            "migrants": sum(state["migrants"] for state in states.values()),
            "households": sum(state["households"] for state in states.values()),
            "locations": sum(state["locations"] for state in states.values()),
            **read_alerts(sessions),
            "states": states,
            "exposures": _total(states, "exposures"),
            "changes": _total(states, "changes"),
            "lists": lists,
            "notifications": _total(states, "notifications"),
            "replies": _total(states, "replies"),
            "mail": read_mail(self.catcher),
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            "worker_starts": self.worker.starts,
        }

    # --- what the world does ---

    def _publish(self, stage: str) -> datetime:
        shown = self.crisis.stage(stage)
        self.say(f"feeds: {shown.shows}")
        published_at = self.feeds.publish(shown)
        self._settle(published_at)
        return published_at

    def _settle(self, since: datetime) -> None:
        """Wait until every feed was polled after `since` and the worker then found nothing left to do."""
        deadline = time.monotonic() + IDLE_TIMEOUT_S
        polled_at = self._wait_polled(since, deadline)
        if not self.worker.wait_idle(polled_at, deadline - time.monotonic()):
            raise TimeoutError(f"the chain was not done {IDLE_TIMEOUT_S:.0f} s after the feeds had spoken")

    def _wait_polled(self, since: datetime, deadline: float) -> datetime:
        """When the last of the feeds had been taken in whole, by a poll that began after `since`."""
        wanted = {"usgs", "drill-exercise", "drill-test"}
        while time.monotonic() < deadline:
            polled = self._read(lambda session: session.execute(_last_polls(since)).all()) or []
            if wanted <= {feed for feed, _ in polled}:
                last: datetime = max(ended_at for feed, ended_at in polled if feed in wanted)
                return last
            time.sleep(0.1)
        raise TimeoutError("the feeds were not polled in time")

    def _settle_acts(self) -> None:
        """Wait until the worker has taken up what people just did."""
        if not self.worker.wait_idle(utc_now(), IDLE_TIMEOUT_S):
            raise TimeoutError("the worker did not take up what people did")

    def _measure(self, published_at: datetime) -> None:
        """Seconds from the first ShakeMap on the feed to each link of the chain."""
        links = {
            "exposures committed": select(func.max(Crossing.recorded_at)).where(Crossing.at >= published_at),
            "first list frozen": select(func.min(PersonList.frozen_at)).where(PersonList.frozen_at >= published_at),
            "first message handed over": select(func.min(Notification.handed_over_at)).where(
                Notification.created_at >= published_at
            ),
            "last message handed over": select(func.max(Notification.handed_over_at)).where(
                Notification.created_at >= published_at
            ),
        }
        for name, query in links.items():
            times = [self._scalar(query, state) for state in STATES]
            known = [at for at in times if at is not None]
            if known:
                chosen = min(known) if name.startswith("first") else max(known)
                self.seconds[name] = (chosen - published_at).total_seconds()

    # --- what people do ---

    def _release_lists(self, recipient_class: str) -> None:
        """A second person of each post releases its evacuation list."""
        released = 0
        for state in STATES:
            for list_id, post_id in self._read(lambda session: session.execute(_latest_evacuation()).all(), state):
                approver = self._staff(state, post_id, Role.APPROVER)
                self._act(approver, self._release(approver, list_id, recipient_class))
                released += 1
        self.say(f"people: {released} evacuation lists released by a second person")

    def _release(self, approver: Principal, list_id: uuid.UUID, recipient_class: str) -> Callable[[Session], object]:
        note = "For the teams on the ground."
        return lambda session: release_list(session, approver, list_id, recipient_class, note, now=utc_now())

    def _declare(self) -> None:
        """A crisis cell declares an area that no feed knows."""
        area = self.crisis.declared_area
        geometry = shape(area.geometry)
        event_id = self._marmara("PHL")
        cell = self._cell("PHL")
        draft = AreaDraft(
            label=area.label,
            reason="Fires and blocked roads reported by wardens along the shore.",
            geometry=geometry,
            severity=4,
            countries=tuple(countries_touching(geometry)),
        )

        def declare_once(session: Session) -> None:
            known = select(DeclaredArea).where(DeclaredArea.event_id == event_id, DeclaredArea.label == area.label)
            if session.execute(known).first() is None:
                declare_area(session, cell, event_id, draft, now=utc_now())

        self._act(cell, declare_once)
        self.say(f"people: the crisis cell declares {area.label}")
        self._settle_acts()
        self._approve_campaigns()

    def _approve_campaigns(self) -> None:
        """What a person's own act would set off waits for a second one: an approver types the number and lets it go."""
        approved = 0
        waiting = select(Campaign.campaign_id, Campaign.recipients).where(Campaign.status == "pending_approval")
        for state in STATES:
            approver = self._staff(state, self._post_of_istanbul(state), Role.APPROVER)
            for campaign_id, recipients in self._read(lambda session: session.execute(waiting).all(), state):
                self._act(approver, self._approve(approver, campaign_id, recipients))
                approved += recipients
        self.say(f"people: an approver lets the message to {approved} people in the declared area go")
        self._settle_acts()

    def _approve(self, approver: Principal, campaign_id: uuid.UUID, recipients: int) -> Callable[[Session], object]:
        def approve(session: Session) -> object:
            campaign = session.get(Campaign, (approver.state, campaign_id))
            if campaign is None or campaign.status != "pending_approval":
                return None  # done before the database went away
            return approve_campaign(session, approver, campaign_id, recipients, now=utc_now())

        return approve

    def _answer(self) -> None:
        """Some of those who got a mail open its link and answer, by the public pages."""
        answered = 0
        with httpx.Client(base_url=self.web_url, timeout=30.0) as client:
            for state in STATES:
                for number, link in enumerate(self._links(state)):
                    needs_help = number % ONE_IN_NEEDS_HELP == 0
                    answered += _post_answer(client, link, needs_help)
        self.say(f"people: {answered} answered by their link")
        self._wait_taken_up()
        self._settle_acts()

    def _links(self, state: str) -> list[str]:
        """The answer links of the first mails by address, so that two plays choose the same people."""
        first: dict[str, CaughtMessage] = {}
        for message in self.catcher.messages():
            link = next((one for one in message.links() if f"/c/{state}-" in one), None)
            if link is not None:
                first.setdefault(message.recipients[0], message)
        chosen = [first[address] for address in sorted(first)][:REPLIES_PER_STATE]
        return [next(one for one in message.links() if f"/c/{state}-" in one) for message in chosen]

    def _wait_taken_up(self) -> None:
        deadline = time.monotonic() + IDLE_TIMEOUT_S
        waiting = select(func.count()).select_from(Reply).where(Reply.taken_up_at.is_(None))
        while time.monotonic() < deadline:
            if all(self._scalar(waiting, state) == 0 for state in STATES):
                return
            time.sleep(0.2)
        raise TimeoutError("the answers were not taken up")

    def _ask_for_next_version(self) -> None:
        """The crisis cell of each post asks for the lists anew: the answers stand on the next version."""
        for state in STATES:
            event_id = self._marmara(state)
            for post_id in self._posts_with_lists(state):
                cell = self._staff(state, post_id, Role.CRISIS_CELL)
                for kind in ListKind:
                    self._act(cell, self._freeze(cell, event_id, post_id, kind))
        self.say("people: next versions of the lists, with the answers")

    def _posts_with_lists(self, state: str) -> list[uuid.UUID]:
        query = select(PersonList.post_id).distinct()
        return sorted(self._read(lambda session: session.execute(query).scalars().all(), state))

    def _freeze(
        self, cell: Principal, event_id: uuid.UUID, post_id: uuid.UUID, kind: ListKind
    ) -> Callable[[Session], object]:
        def freeze(session: Session) -> object:
            vault = Vault(session, self.deployment.master, cell.state)
            return freeze_list(session, cell, vault, event_id, post_id, kind, now=utc_now())

        return freeze

    # --- reading and acting ---

    def _marmara(self, state: str) -> uuid.UUID:
        found: uuid.UUID = self._scalar(select(Situation.event_id).where(Situation.title.contains("Silivri")), state)
        return found

    def _cell(self, state: str) -> Principal:
        """The crisis cell of the post that serves Istanbul."""
        return self._staff(state, self._post_of_istanbul(state), Role.CRISIS_CELL)

    def _post_of_istanbul(self, state: str) -> uuid.UUID:
        post_id: uuid.UUID = self._scalar(
            select(ConsularPost.post_id).where(ConsularPost.name.contains("Istanbul")), state
        )
        return post_id

    def _staff(self, state: str, post_id: uuid.UUID, role: Role) -> Principal:
        """Somebody who holds this role at this post."""
        query = (
            select(Staff.staff_id, Staff.display_name)
            .join(StaffRole, StaffRole.staff_id == Staff.staff_id)
            .where(StaffRole.post_id == post_id, StaffRole.role == role.value)
            .order_by(Staff.login)
        )
        staff_id, name = self._read(lambda session: session.execute(query).first(), state)
        return Principal(state, staff_id, (post_id,), frozenset({role}), "the earthquake in the Sea of Marmara", name)

    def _act(self, principal: Principal, act: Callable[[Session], object]) -> None:
        """One act of a person, in one transaction as the application role; again if the database went away."""

        def attempt(session: Session) -> None:
            set_context(session, principal.context())
            act(session)

        _patiently(lambda: _commit(self.deployment.sessions("micic_app"), attempt))

    def _scalar(self, query: Any, state: str) -> Any:
        return self._read(lambda session: session.execute(query).scalar(), state)

    def _read(self, query: Callable[[Session], Any], state: str = STATES[0]) -> Any:
        def attempt() -> Any:
            with self.deployment.sessions("micic_worker")() as session:
                set_context(session, Context(state))
                return query(session)

        return _patiently(attempt)


def is_whole(summary: dict[str, Any]) -> bool:
    """Whether every link of the chain did its work, and what had to reach nobody reached nobody."""
    mail, notifications = summary["mail"], summary["notifications"]
    return (
        _any(summary["exposures"], "inside")
        and _any(summary["exposures"], "possible")
        and {"entered", "left", "raised", "lowered", "firmed"} <= set(summary["changes"])
        and {entry["state"] for entry in summary["lists"] if entry["status"] == "released"} == set(STATES)
        and set(notifications) == {"sent", "delivered"}
        and mail["distinct"] == sum(notifications.values())
        and mail["most_recipients_of_one_envelope"] == 1
        and set(summary["replies"]) == {"safe", "need_help"}
        and summary["messages"].get("drill-exercise held") == 1
        and summary["messages"].get("drill-test held") == 1
    )


def _any(counts: dict[str, int], presence: str) -> bool:
    return any(name.startswith(presence) and count > 0 for name, count in counts.items())


def _total(states: dict[str, dict[str, Any]], name: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for state in states.values():
        for key, count in state[name].items():
            total[key] = total.get(key, 0) + count
    return dict(sorted(total.items()))


def _last_polls(since: datetime) -> Any:
    return (
        select(FeedFetch.feed, func.max(FeedFetch.ended_at))
        .where(FeedFetch.started_at >= since, FeedFetch.outcome.in_(("ok", "unchanged")))
        .group_by(FeedFetch.feed)
    )


def _latest_evacuation() -> Any:
    return text(
        "select distinct on (post_id) list_id, post_id from person_list l where kind = 'evacuation'"
        " and registering_state = current_setting('micic.state') and line_count > 0 and status = 'frozen'"
        " order by post_id, version desc"
    )


def _post_answer(client: httpx.Client, link: str, needs_help: bool) -> int:
    """Answer by the public page; 1 if it was received. Again while the server says that it is busy."""
    path = httpx.URL(link).path
    form = {
        "answer": "need_help" if needs_help else "safe",
        "covers": "household",
        **({"needs": "water_food"} if needs_help else {}),
        "submission_key": str(uuid.uuid5(uuid.NAMESPACE_URL, path)),
    }
    for _ in range(60):
        try:
            reply = client.post(path, data=form, headers={"Origin": str(client.base_url).rstrip("/")})
        except httpx.TransportError:
            time.sleep(0.5)
            continue
        if reply.status_code not in (429, 503):
            return int(reply.status_code in (200, 201, 303))
        time.sleep(0.5)
    return 0


def _commit(sessions: Any, attempt: Callable[[Session], None]) -> None:
    with sessions.begin() as session:
        attempt(session)


def _patiently(attempt: Callable[[], Any]) -> Any:
    """Try again for a minute while the database is away."""
    until = datetime.now(UTC) + timedelta(seconds=60)
    while True:
        try:
            return attempt()
        except DBAPIError as error:
            is_away = error.connection_invalidated or isinstance(error, OperationalError)
            if not is_away or datetime.now(UTC) > until:
                raise
            time.sleep(0.3)
