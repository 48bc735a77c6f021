-- Standing rules and crossings that have not met yet, oldest first: an anti-join, so that nothing is lost between
-- stages and nothing is done twice. A rule acts on crossings that came after its approval, while its message would
-- still be valid, in situations that are open and of this mode. Who is less surely in the event, but in a worse part
-- of it (*loosened* with a rise), is news as well.
-- Parameters: state, mode, now, crossing, rule, event (null: all).
select r.rule_id, x.crossing_id, s.event_id
  from crossing x
  join situation s on s.registering_state = x.registering_state and s.event_id = coalesce(x.event_id, s.event_id)
  join message_rule r on r.registering_state = x.registering_state
  left join event e on e.event_id = s.public_event_id
 where x.registering_state = :state
   and (cast(:crossing as uuid) is null or x.crossing_id = :crossing)
   and (cast(:rule as uuid) is null or r.rule_id = :rule)
   and (cast(:event as uuid) is null or s.event_id = :event)
   and jsonb_exists_any(x.counts, array['entered', 'raised', 'firmed', 'loosened'])
   and s.mode = :mode and s.closed_at is null
   and coalesce(e.lifecycle not in ('cancelled', 'ended', 'expired', 'withdrawn'), true)
   and r.retired_at is null and r.approved_at <= x.recorded_at
   and x.recorded_at + make_interval(secs => r.expires_after_s) > :now
   and exists (select 1 from exposure_change c
                where c.registering_state = x.registering_state and c.event_id = s.event_id
                  and c.crossing_id = x.crossing_id
                  and (c.change in ('entered', 'raised', 'firmed')
                       or c.change = 'loosened' and c.severity_after > c.severity_before))
   and not exists (select 1 from campaign c
                    where c.registering_state = x.registering_state and c.rule_id = r.rule_id
                      and c.event_id = s.event_id and c.crossing_id = x.crossing_id)
 order by x.recorded_at, x.crossing_id, r.rule_id, s.event_id
