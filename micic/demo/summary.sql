-- What the crisis came to, for one State. Ids and times are left out, so that two plays of one script are equal.
select json_build_object(
    'posts', (select count(*) from consular_post where registering_state = :state),
    'migrants', (select count(*) from migrant where registering_state = :state),
    'households', (select count(*) from household where registering_state = :state),
    'locations', (select count(*) from location where registering_state = :state),
    'situations', (select count(*) from situation where registering_state = :state),
    'exposures', (select coalesce(json_object_agg(k, n order by k), '{}'::json) from (
        select presence || ' ' || coalesce(severity_inside, severity_possible) as k, count(*) as n
          from exposure where registering_state = :state and ended_at is null group by 1) x),
    'exposures_ended', (select count(*) from exposure where registering_state = :state and ended_at is not null),
    'unknown', (select count(distinct (x.event_id, w.migrant_id))
                  from exposure_country x
                  join whereabouts w on w.registering_state = x.registering_state and w.country = x.country
                 where x.registering_state = :state and x.ended_at is null
                   and w.from_at <= :at and coalesce(w.until_at > :at, true)
                   and not exists (select 1 from whereabouts f
                                    where f.registering_state = w.registering_state and f.migrant_id = w.migrant_id
                                      and f.firm and f.radius_class < 6
                                      and f.from_at <= :at and coalesce(f.until_at > :at, true))),
    'changes', (select coalesce(json_object_agg(change, n order by change), '{}'::json) from (
        select change, count(*) as n from exposure_change where registering_state = :state group by 1) x),
    'lists', (select coalesce(json_agg(x order by x.post, x.kind, x.title, x.version), '[]'::json) from (
        select p.name as post, l.kind, s.title, l.version, l.status, l.line_count as lines,
               l.household_count as households, l.changes, encode(l.sha256, 'hex') as sha256
          from person_list l
          join consular_post p on p.registering_state = l.registering_state and p.post_id = l.post_id
          join situation s on s.registering_state = l.registering_state and s.event_id = l.event_id
         where l.registering_state = :state) x),
    'notifications', (select coalesce(json_object_agg(status, n order by status), '{}'::json) from (
        select status, count(*) as n from notification where registering_state = :state group by 1) x),
    'campaigns', (select coalesce(json_object_agg(status, n order by status), '{}'::json) from (
        select status, count(*) as n from campaign where registering_state = :state group by 1) x),
    'replies', (select coalesce(json_object_agg(answer, n order by answer), '{}'::json) from (
        select answer, count(*) as n from reply where registering_state = :state group by 1) x)
)
