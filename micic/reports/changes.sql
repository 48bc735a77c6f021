-- What changed for the people of one event, crossing by crossing, newest first. Parameters: state, event, since
-- (an instant; null for all).
select c.crossing_id, c.recorded_at, c.at, c.change, c.cause, count(*) as persons, k.cause_id
  from exposure_change c
  left join crossing k on k.registering_state = :state and k.crossing_id = c.crossing_id
 where c.registering_state = :state and c.event_id = :event
   and (cast(:since as timestamptz) is null or c.recorded_at > :since)
 group by c.crossing_id, c.recorded_at, c.at, c.change, c.cause, k.cause_id
 order by c.recorded_at desc, c.crossing_id desc, c.change
