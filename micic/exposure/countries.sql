-- Which countries each event in scope concerns, for the people of whom only the country is known (RULES 2): one row
-- per event, country and State, and only where this State has anybody on the record.
-- Parameters: state, at, event, crossing_id, severity_if_unknown.
with concerned as (
    select z.event_id, c.country, z.valid_from as began_at, z.severity,
           not exists (select 1 from zone_cell k where k.zone_id = z.zone_id) as whole_country
      from zone_of_state z
      join zone_country c on c.zone_id = z.zone_id
     where (cast(:event as uuid) is null or z.event_id = :event)
       and z.valid_from <= :at and coalesce(z.valid_until > :at, true) and coalesce(z.ended_at > :at, true)
       and z.accepted
    union all
    select a.event_id, c.country, a.declared_at, a.severity, false
      from declared_area a
      join declared_country c on c.registering_state = a.registering_state and c.area_id = a.area_id
     where a.registering_state = :state
       and (cast(:event as uuid) is null or a.event_id = :event)
       and a.declared_at <= :at and coalesce(a.ended_at > :at, true)
),
desired as (
    select event_id, country, bool_or(whole_country) as whole_country,
           max(coalesce(severity, :severity_if_unknown)) as severity, min(began_at) as began_at
      from concerned c
     where exists (select 1 from whereabouts w where w.registering_state = :state and w.country = c.country)
     group by event_id, country
),
written as (
    insert into exposure_country as x (registering_state, event_id, country, whole_country, severity, began_at,
                                       crossing_id)
    select :state, event_id, country, whole_country, severity, began_at, :crossing_id
      from desired d
     where exists (select 1 from situation s where s.registering_state = :state and s.event_id = d.event_id)
    on conflict (registering_state, event_id, country) do update
       set whole_country = excluded.whole_country, severity = excluded.severity, ended_at = null,
           crossing_id = excluded.crossing_id
     where x.ended_at is not null
        or (x.whole_country, x.severity) is distinct from (excluded.whole_country, excluded.severity)
    returning 1
)
update exposure_country x
   set ended_at = :at, crossing_id = :crossing_id
 where x.registering_state = :state and x.ended_at is null
   and (cast(:event as uuid) is null or x.event_id = :event)
   and (x.event_id, x.country) not in (select event_id, country from desired)
