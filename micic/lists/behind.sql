-- The posts that a crossing reached and whose lists have not been brought up to it: an anti-join, so that nothing is
-- lost between the stages, whatever order they commit in. A post is reached when a person's exposure there changed, when
-- one was revised by the crossing, or when people of a country that the event came to concern are its people.
-- Exercises are frozen by hand: their lists are no business of the worker's role. Parameters: state, now.
with unfinished as materialized (
    select c.crossing_id, c.cause, c.event_id
      from crossing c
     where c.registering_state = :state
       and not exists (select 1 from list_run r
                        where r.registering_state = :state and r.crossing_id = c.crossing_id and r.post_id is null)
),
watched as (
    select event_id from situation where registering_state = :state and closed_at is null and mode = 'live'
),
reached as (
    select u.crossing_id, u.cause, x.event_id, coalesce(x.serving_post_id, x.keeper_post_id) as post_id
      from unfinished u
     cross join watched s
      join exposure_change x on x.registering_state = :state and x.event_id = s.event_id
                            and x.crossing_id = u.crossing_id
    union
    select u.crossing_id, u.cause, e.event_id, coalesce(e.serving_post_id, e.keeper_post_id)
      from unfinished u
      join watched s on s.event_id = u.event_id
      join exposure e on e.registering_state = :state and e.event_id = u.event_id and e.ended_at is null
                     and e.crossing_id = u.crossing_id
    union
    select u.crossing_id, u.cause, k.event_id, coalesce(w.serving_post_id, w.keeper_post_id)
      from unfinished u
      join exposure_country k on k.registering_state = :state and k.crossing_id = u.crossing_id
      join watched s on s.event_id = k.event_id
      join whereabouts w on w.registering_state = :state and w.country = k.country
                        and w.from_at <= :now and coalesce(w.until_at > :now, true)
     where k.whole_country or not (w.firm and w.radius_class < 6)
)
select d.crossing_id, d.event_id, d.post_id, d.cause in ('message', 'declaration') as at_once,
       (select max(r.at) from list_run r
         where r.registering_state = :state and r.event_id = d.event_id and r.post_id = d.post_id) as last_run_at
  from reached d
 where not exists (select 1 from list_run r
                    where r.registering_state = :state and r.crossing_id = d.crossing_id
                      and r.event_id = d.event_id and r.post_id = d.post_id)
 order by d.event_id, d.post_id
