-- For each country that an event concerns: how many registered people are there now, how many are believed to be
-- there, and whether the context's posts are all the posts that serve the country. Parameters: state, event, now, posts.
with concerned as (
    select country from exposure_country
     where registering_state = :state and event_id = :event and ended_at is null
    union
    select country from exposure
     where registering_state = :state and event_id = :event and ended_at is null
),
estimate as (
    select distinct on (p.country) p.country, p.low, p.best, p.high, p.source, p.as_of
      from population_estimate p
      join concerned c on c.country = p.country
     where p.registering_state = :state
     order by p.country, p.as_of desc, p.estimate_id desc
)
select c.country, e.low, e.best, e.high, e.source, e.as_of,
       (select count(distinct w.migrant_id) from whereabouts w
         where w.registering_state = :state and w.country = c.country
           and w.from_at <= :now and coalesce(w.until_at > :now, true)) as registered,
       not exists (select 1 from jurisdiction j
                    where j.registering_state = :state and j.country = c.country
                      and j.post_id <> all (cast(:posts as uuid[]))) as is_complete
  from concerned c
  left join estimate e on e.country = c.country
 order by c.country
