-- The zones of an event that are in force for this State, worst first, with the people whose exposure rests on each.
-- Parameters: state, event, now.
with in_force as (
    select z.zone_id, false as own, z.kind, z.firm, z.basis, z.severity, z.native_severity, z.label, z.valid_from,
           z.valid_until, m.feed
      from zone_of_state z
      join message m on m.message_id = z.message_id
     where z.event_id = :event and z.kind not in ('point','epicentre','centroid')
       and z.valid_from <= :now and coalesce(z.valid_until > :now, true) and coalesce(z.ended_at > :now, true)
       and z.accepted
    union all
    select a.area_id, true, 'declared', true, 'native', a.severity, null, a.label, a.declared_at, null, null
      from declared_area a
     where a.registering_state = :state and a.event_id = :event
       and a.declared_at <= :now and coalesce(a.ended_at > :now, true)
),
people as (
    select coalesce(zone_inside, zone_possible) as zone_id,
           count(*) filter (where presence = 'inside') as inside,
           count(*) filter (where presence = 'possible') as possible
      from exposure
     where registering_state = :state and event_id = :event and ended_at is null
     group by 1
)
select z.*, coalesce(p.inside, 0) as inside, coalesce(p.possible, 0) as possible
  from in_force z
  left join people p on p.zone_id = z.zone_id
 order by z.severity desc nulls last, z.own desc, z.label, z.zone_id
