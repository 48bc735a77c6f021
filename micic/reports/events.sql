-- The situations of a State, worst first: severity of what is in force, people inside and possible, and what the
-- latest crossing that changed anybody changed. Parameters: state, now, event (null for all).
with mine as materialized (
    select s.event_id, s.public_event_id, s.title, s.began_at, s.opened_at, s.closed_at, s.mode, s.version,
           e.hazards, e.lifecycle
      from situation s
      left join event e on e.event_id = s.public_event_id
     where s.registering_state = :state and (cast(:event as uuid) is null or s.event_id = :event)
),
in_force as (
    select z.event_id, z.severity, z.severity is null and z.geometry is not null as unstated
      from zone_of_state z
      join mine s on s.public_event_id = z.event_id
     where z.kind not in ('point','epicentre','centroid')
       and z.valid_from <= :now and coalesce(z.valid_until > :now, true) and coalesce(z.ended_at > :now, true)
       and z.accepted
    union all
    select a.event_id, a.severity, false
      from declared_area a
     where a.registering_state = :state and a.declared_at <= :now and coalesce(a.ended_at > :now, true)
),
worst as (
    select event_id, max(severity) as severity, count(*) as zones from in_force group by event_id
),
exposed as (
    select event_id, count(*) filter (where presence = 'inside') as inside,
           count(*) filter (where presence = 'possible') as possible
      from exposure
     where registering_state = :state and ended_at is null
       and (cast(:event as uuid) is null or event_id = :event)
     group by event_id
),
latest as (
    select distinct on (event_id) event_id, crossing_id, recorded_at
      from exposure_change
     where registering_state = :state and (cast(:event as uuid) is null or event_id = :event)
     order by event_id, recorded_at desc, crossing_id desc
),
changed as (
    select l.event_id, l.recorded_at,
           count(*) filter (where c.change = 'entered') as entered, count(*) filter (where c.change = 'left') as left_out
      from latest l
      join exposure_change c on c.registering_state = :state and c.event_id = l.event_id
                            and c.crossing_id = l.crossing_id
     group by l.event_id, l.recorded_at
)
select s.event_id, s.title, s.began_at, s.opened_at, s.closed_at, s.mode, s.version, s.hazards, s.lifecycle,
       s.public_event_id is null as own, w.severity, coalesce(w.zones, 0) as zones,
       coalesce(x.inside, 0) as inside, coalesce(x.possible, 0) as possible,
       coalesce(c.entered, 0) as entered, coalesce(c.left_out, 0) as left_out, c.recorded_at as changed_at
  from mine s
  left join worst w on w.event_id = s.event_id
  left join exposed x on x.event_id = s.event_id
  left join changed c on c.event_id = s.event_id
 order by (s.closed_at is not null), (coalesce(w.zones, 0) = 0), w.severity desc nulls last,
          coalesce(x.inside, 0) desc, s.began_at desc
