"""The outbox: claim, seal opened, result kept, against a bare loop of UPDATE .. SKIP LOCKED. Nothing is sent.

pgqueuer, the baseline of the goal, is not installed and would not bring the same guarantees; the bare loop is what
any queue in PostgreSQL does at least.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import batched  # type: ignore[attr-defined,unused-ignore]

from sqlalchemy import insert, text

from micic.identifiers import new_id
from micic.notifications.models import Campaign, Notification
from micic.notifications.outbox import Result, claim, keep_result
from micic.notifications.rules import Outcome, next_step
from micic.posts.models import PostKey
from micic.registry.models import Household, Migrant, PersonKey
from micic.registry.vault import Vault
from micic.security.crypto import MasterKeys, new_key, seal
from micic.watch.models import Situation
from tests.benchmarks.goals import Goal, judge
from tests.benchmarks.ground import NOW, STATE, Ground
from tests.benchmarks.timing import Clock, Side, take_turns

LOT = 200
