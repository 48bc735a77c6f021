-- Takes the turn to look for people whom a rule has not told: of every approved rule and open situation in which the
-- rule has met a crossing, at most once a minute, whichever worker comes first. The turn is noted on the first
-- campaign of the rule in the event.
-- Parameters: state, mode, now, pause.
with first as (
    select distinct on (c.rule_id, c.event_id) c.campaign_id
      from campaign c
      join message_rule r on r.registering_state = c.registering_state and r.rule_id = c.rule_id
      join situation s on s.registering_state = c.registering_state and s.event_id = c.event_id
      left join event e on e.event_id = s.public_event_id
     where c.registering_state = :state and c.mode = :mode
       and r.approved_at is not null and r.retired_at is null
       and s.mode = :mode and s.closed_at is null
       and coalesce(e.lifecycle not in ('cancelled', 'ended', 'expired', 'withdrawn'), true)
     order by c.rule_id, c.event_id, c.drafted_at, c.campaign_id
)
update campaign c
   set snapshot = c.snapshot || jsonb_build_object('looked_at', cast(:now as timestamptz))
  from first f
 where c.registering_state = :state and c.campaign_id = f.campaign_id
   and coalesce(cast(c.snapshot ->> 'looked_at' as timestamptz), c.drafted_at) <= cast(:now as timestamptz) - :pause
returning c.rule_id, c.event_id
