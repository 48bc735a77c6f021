-- One page of the people of one event, most severe first, by keyset. Names are read here and nowhere else in reports.
-- {news} is the body of micic.cases. Parameters: state, event, presence, answer (null for any), after_severity, after_id, size.
with exposed as (
    select e.migrant_id, e.presence, coalesce(e.severity_inside, e.severity_possible) as severity, e.country,
           case when e.presence = 'inside' then e.location_inside else e.location_possible end as location_id,
           e.serving_post_id, e.began_at
      from exposure e
     where e.registering_state = :state and e.event_id = :event and e.ended_at is null
       and (cast(:presence as text) is null or e.presence = :presence)
),
-- Without a wish for an answer the page is cut before the histories are read; with one, all must be read first.
candidate as materialized (
    select *
      from exposed
     where cast(:after_id as uuid) is null
        or (severity, migrant_id) < (cast(:after_severity as smallint), cast(:after_id as uuid))
     order by severity desc, migrant_id desc
     limit case when cast(:answer as text) is null then cast(:size as int) end
),
subject as (select migrant_id from candidate),
{news},
marked as (
    select x.*, greatest(n.welfare_at, n.needs_help_since) as told_at,
           case when n.needs_help_since is not null then 'need_help'
                when n.welfare = 'safe' then 'safe'
                when n.answered then 'answered' else 'silent' end as answer
      from candidate x
      left join news n on n.migrant_id = x.migrant_id
)
select k.migrant_id, k.presence, k.severity, k.country, k.answer, k.told_at, k.serving_post_id,
       m.reference, m.family_name, m.given_names, m.family_name_original, m.given_names_original, m.protected,
       m.language, w.source, w.observed_at, w.radius_class,
       st_y(w.position) as lat, st_x(w.position) as lon
  from marked k
  join migrant m on m.registering_state = :state and m.migrant_id = k.migrant_id
  left join lateral (select * from whereabouts w
                      where w.registering_state = :state and w.migrant_id = k.migrant_id
                        and w.location_id = k.location_id
                      order by w.from_at desc limit 1) w on true
 where cast(:answer as text) is null or k.answer = :answer
 order by k.severity desc, k.migrant_id desc
 limit :size
