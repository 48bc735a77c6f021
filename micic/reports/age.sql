-- How old the locations are that the open exposures of one event rest on, in seconds: median, 90th percentile, how
-- many, and how many older than a day. One row per serving post, and one for all (post_id null, is_total).
-- Parameters: state, event, now.
with used as (
    select e.migrant_id, e.serving_post_id,
           case when e.presence = 'inside' then e.location_inside else e.location_possible end as location_id
      from exposure e
     where e.registering_state = :state and e.event_id = :event and e.ended_at is null
),
aged as (
    select u.serving_post_id, extract(epoch from :now - max(w.observed_at)) as age_s
      from used u
      join whereabouts w on w.registering_state = :state and w.migrant_id = u.migrant_id
                        and w.location_id = u.location_id
     group by u.migrant_id, u.serving_post_id
)
select grouping(a.serving_post_id) = 1 as is_total, a.serving_post_id as post_id, max(p.name) as post_name,
       percentile_cont(0.5) within group (order by a.age_s) as median_s,
       percentile_cont(0.9) within group (order by a.age_s) as p90_s,
       count(*) as persons, count(*) filter (where a.age_s > 86400) as older_than_a_day
  from aged a
  left join consular_post p on p.registering_state = :state and p.post_id = a.serving_post_id
 group by grouping sets ((a.serving_post_id), ())
 order by is_total desc, median_s desc
