-- The state of each person's three histories in one event (RULES 4), one row per person told of. A body of common
-- table expressions: it expects `subject(migrant_id)` before it and ends in `news`.
-- The latest entry of the highest trust is the one that the latest-wins-against-equal-or-lower rule arrives at.
-- Contact is our own log and no claim about a person: there the latest counts. Parameters: state, event.
contact_now as (
    select distinct on (e.migrant_id) e.migrant_id, e.state, e.source_at,
           bool_or(e.state = 'answered') over (partition by e.migrant_id) as answered
      from contact_entry e
      join subject s on s.migrant_id = e.migrant_id
     where e.registering_state = :state and e.event_id = :event
     order by e.migrant_id, e.source_at desc, e.recorded_at desc, e.entry_id desc
),
welfare_told as materialized (
    select e.migrant_id, e.state, e.source, e.trust, e.source_at, e.recorded_at, e.entry_id,
           array_position(array['unknown', 'known_address', 'token', 'authenticated'], e.trust::text) as weight
      from welfare_entry e
      join subject s on s.migrant_id = e.migrant_id
     where e.registering_state = :state and e.event_id = :event
),
welfare_now as (
    select distinct on (migrant_id) migrant_id, state, source_at, trust
      from welfare_told
     order by migrant_id, weight desc, source_at desc, recorded_at desc, entry_id desc
),
-- A need counts at any trust and is closed only by the authenticated word of an officer or responder after it.
need_closed as (
    select migrant_id, max(source_at) as closed_at
      from welfare_told
     where state = 'safe' and trust = 'authenticated' and source in ('officer', 'responder')
     group by migrant_id
),
need_open as (
    select t.migrant_id, max(t.source_at) as since, bool_or(t.state = 'injured') as injured
      from welfare_told t
      left join need_closed c on c.migrant_id = t.migrant_id
     where t.state in ('need', 'injured') and coalesce(c.closed_at <= t.source_at, true)
     group by t.migrant_id
),
movement_told as materialized (
    select e.migrant_id, e.state, e.trust, e.source_at, e.recorded_at, e.entry_id,
           array_position(array['unknown', 'known_address', 'token', 'authenticated'], e.trust::text) as weight
      from movement_entry e
      join subject s on s.migrant_id = e.migrant_id
     where e.registering_state = :state and e.event_id = :event
),
movement_now as (
    select distinct on (migrant_id) migrant_id, state, source_at, trust
      from movement_told
     order by migrant_id, weight desc, source_at desc, recorded_at desc, entry_id desc
),
told as (
    select migrant_id, count(*)::int as entries
      from (select migrant_id from welfare_told union all select migrant_id from movement_told) t
     group by migrant_id
),
news as (
    select migrant_id, c.state as contact, c.source_at as contact_at, coalesce(c.answered, false) as answered,
           w.state as welfare, w.source_at as welfare_at, w.trust as welfare_trust,
           m.state as movement, m.source_at as movement_at, m.trust as movement_trust,
           n.since as needs_help_since, coalesce(n.injured, false) as injured, coalesce(t.entries, 0) as told
      from contact_now c
      full join welfare_now w using (migrant_id)
      full join movement_now m using (migrant_id)
      left join need_open n using (migrant_id)
      left join told t using (migrant_id)
)
