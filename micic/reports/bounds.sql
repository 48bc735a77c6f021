-- The frame of the zones of an event that are in force, degrees; without any, of the place where it happened and
-- 250 km or so around. Parameters: state, event, now.
with drawn as (
    select z.geometry
      from zone_of_state z
     where z.event_id = :event and z.geometry is not null and z.kind not in ('point','epicentre','centroid')
       and z.valid_from <= :now and coalesce(z.valid_until > :now, true) and coalesce(z.ended_at > :now, true)
       and z.accepted
    union all
    select a.geometry
      from declared_area a
     where a.registering_state = :state and a.event_id = :event
       and a.declared_at <= :now and coalesce(a.ended_at > :now, true)
)
select st_xmin(e.box) as west, st_ymin(e.box) as south, st_xmax(e.box) as east, st_ymax(e.box) as north
  from (select coalesce((select st_extent(geometry) from drawn),
                        (select box2d(st_expand(v.position, 2.5)) from event v where v.event_id = :event)) as box) e
