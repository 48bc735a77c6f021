-- The life of an event, oldest first: versions of its alert and areas declared or ended, with the crossing that
-- each caused and what that changed. Parameters: state, event.
with step as (
    select m.message_id as step_id, 'message' as cause, m.kind, m.status, m.title, m.severity, m.native_severity,
           m.sent_at as at, m.received_at as known_at, m.feed, m.native_version,
           coalesce((select d.decision from alert_decision d
                      where d.registering_state = :state and d.message_id = m.message_id
                      order by d.decided_at desc, d.decision_id desc limit 1), m.verdict) as verdict,
           (select count(*) from zone z
             where z.message_id = m.message_id and z.kind not in ('point','epicentre','centroid')) as zones
      from message m
     where m.event_id = :event
    union all
    select a.area_id, 'declaration', 'declared', 'actual', a.label, a.severity, null, a.declared_at, a.declared_at,
           null, null, 'accepted', 1
      from declared_area a
     where a.registering_state = :state and a.event_id = :event
    union all
    select a.area_id, 'expiry', 'area_ended', 'actual', a.label, a.severity, null, a.ended_at, a.ended_at,
           null, null, 'accepted', 0
      from declared_area a
     where a.registering_state = :state and a.event_id = :event and a.ended_at is not null
),
changed as (
    select c.crossing_id, jsonb_object_agg(c.change, c.persons) as counts
      from (select crossing_id, change, count(*) as persons
              from exposure_change
             where registering_state = :state and event_id = :event
             group by crossing_id, change) c
     group by c.crossing_id
)
select s.*, k.crossing_id, k.recorded_at as crossed_at, coalesce(c.counts, '{}'::jsonb) as counts
  from step s
  left join crossing k on k.registering_state = :state and k.cause = s.cause and k.cause_id = s.step_id
  left join changed c on c.crossing_id = k.crossing_id
 order by s.at, s.known_at, s.step_id
