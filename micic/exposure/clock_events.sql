-- Events with a zone that time alone has begun or ended since the last tick, or that have just outlived the
-- freshness of what was observed before them.
with ticked as (
    select z.event_id, bool_or(z.valid_until > :since and z.valid_until <= :now) as expired
      from zone_of_state z
     where (z.valid_from > :since and z.valid_from <= :now)
        or (z.valid_until > :since and z.valid_until <= :now)
        or (z.ended_at > :since and z.ended_at <= :now)
     group by z.event_id
    union all
    select e.event_id, false
      from event e
     where e.began_at + :stale_after > :since and e.began_at + :stale_after <= :now
    union all
    select s.event_id, false
      from situation s
     where s.registering_state = :state and s.public_event_id is null
       and s.began_at + :stale_after > :since and s.began_at + :stale_after <= :now
)
select event_id, case when bool_or(expired) then 'expiry' else 'clock' end as cause
  from ticked
 group by event_id
