"""Commands for standing rules and messages: propose, approve, show, stop, hand over."""

import sys
import uuid
from typing import Annotated

import typer
from sqlalchemy import select

from micic.cli.rim import (
    LoginOption,
    PasswordOption,
    StateOption,
    as_person,
    as_worker,
    deployment_or_exit,
    print_table,
)
from micic.clock import utc_now
from micic.notifications.models import Campaign, MessageRule
from micic.notifications.queries import count_by_status
from micic.notifications.service import (
    RuleDraft,
    add_default_template,
    approve_rule,
    dispatch,
    propose_rule,
    stop_campaign,
)
from micic.watch.models import Situation

rules = typer.Typer(no_args_is_help=True, help="Standing rules: who is informed at once.")
messages = typer.Typer(no_args_is_help=True, help="Messages and their progress.")


@rules.command("list")
def list_rules(state: StateOption) -> None:
    """The rules of a State."""
    with deployment_or_exit() as deployment, as_worker(deployment, state) as session:
        rows = session.execute(select(MessageRule).order_by(MessageRule.proposed_at)).scalars().all()
        print_table(
            "Rules",
            ("rule", "name", "inside from", "possible from", "approved", "retired"),
            [
                (one.rule_id, one.name, one.min_severity_inside, one.min_severity_possible, one.approved_at,
                 one.retired_at)
                for one in rows
            ],
        )  # fmt: skip


@rules.command("propose")
def propose(
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
    name: Annotated[str, typer.Option(help="What the rule is called.")],
    inside_from: Annotated[int, typer.Option(help="Least severity, 0-4, for people inside.", min=0, max=4)] = 2,
    possible_from: Annotated[int, typer.Option(help="Least severity for people possibly inside.", min=0, max=4)] = 3,
    template: Annotated[str, typer.Option(help="Which of the texts that come with the product.")] = "inform",
) -> None:
    """Propose a rule; somebody else approves it."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, "standing rules") as (session, principal):
            template_id = add_default_template(session, principal, template, now=utc_now())
            draft = RuleDraft(name, template_id, inside_from, possible_from)
            rule_id = propose_rule(session, principal, draft, now=utc_now()).rule_id
        sys.stdout.write(f"{rule_id}\n")


@rules.command("approve")
def approve(
    rule_id: Annotated[uuid.UUID, typer.Argument(help="The rule, from `rules list`.")],
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
) -> None:
    """Approve what somebody else proposed: from now on it sends by itself."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, "standing rules") as (session, principal):
            approve_rule(session, principal, rule_id, now=utc_now())
        sys.stdout.write("approved\n")


@messages.command("list")
def list_messages(state: StateOption) -> None:
    """Campaigns and how far they are."""
    with deployment_or_exit() as deployment, as_worker(deployment, state) as session:
        rows = session.execute(
            select(Campaign, Situation.title)
            .join(Situation, Situation.event_id == Campaign.event_id)
            .order_by(Campaign.drafted_at)
        ).all()
        print_table(
            "Messages",
            ("campaign", "event", "status", "recipients", "unreachable", "progress"),
            [
                (one.campaign_id, title, one.status, one.recipients, one.unreachable,
                 ", ".join(f"{n} {s}" for s, n in count_by_status(session, state, one.campaign_id).items()))
                for one, title in rows
            ],
        )  # fmt: skip


@messages.command("stop")
def stop(
    campaign_id: Annotated[uuid.UUID, typer.Argument(help="The campaign, from `messages list`.")],
    state: StateOption,
    login: LoginOption,
    password: PasswordOption,
) -> None:
    """Stop a campaign: what was not handed over yet never is."""
    with deployment_or_exit() as deployment:
        with as_person(deployment, state, login, password, "stopping messages") as (session, principal):
            stop_campaign(session, principal, campaign_id, now=utc_now())
        sys.stdout.write("stopped\n")


@messages.command("send")
def send(state: StateOption) -> None:
    """Hand over what is due, once, as a worker would."""
    with deployment_or_exit() as deployment:
        sessions = deployment.sessions("micic_worker")
        done = dispatch(
            sessions, deployment.master, state, deployment.channel, deployment.web.public_url, now=utc_now()
        )
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(done.outcomes.items()))
        sys.stdout.write(f"{state}: {outcomes or 'nothing was due'}\n")
