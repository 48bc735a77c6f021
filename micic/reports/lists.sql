-- The lists of one event, newest version first. Parameters: state, event, post (null for all), after (a cursor:
-- frozen_at of the last row seen, with its id), size.
select l.list_id, l.event_id, l.post_id, p.name as post_name, l.kind, l.mode, l.version, l.status, l.line_count,
       l.household_count, l.changes, encode(l.sha256, 'hex') as sha256, l.as_of, l.frozen_at, l.frozen_by,
       l.released_at, l.released_by, l.recipient_class,
       not exists (select 1 from person_list n
                    where n.registering_state = l.registering_state and n.event_id = l.event_id
                      and n.post_id = l.post_id and n.kind = l.kind and n.version > l.version) as is_latest,
       (select coalesce(jsonb_object_agg(t.tier, t.persons), '{}'::jsonb)
          from (select tier, count(*) as persons from list_line
                 where registering_state = l.registering_state and list_id = l.list_id group by tier) t) as tiers
  from person_list l
  join consular_post p on p.registering_state = l.registering_state and p.post_id = l.post_id
 where l.registering_state = :state and (cast(:event as uuid) is null or l.event_id = :event)
   and (cast(:list as uuid) is null or l.list_id = :list)
   and (cast(:after_at as timestamptz) is null
        or (l.frozen_at, l.list_id) < (cast(:after_at as timestamptz), cast(:after_id as uuid)))
 order by l.frozen_at desc, l.list_id desc
 limit :size
