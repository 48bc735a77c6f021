-- What each crossing changed for one event.
select x.at, x.cause, x.change, count(*) as persons
  from exposure_change x
 where x.registering_state = :state and x.event_id = :event
 group by x.at, x.crossing_id, x.cause, x.change
 order by x.at, x.change
