-- The crossing: makes the open exposures in scope equal to what zones and whereabouts say at :at, and notes every
-- change (RULES 2 and 3). One statement for all triggers: a zone was stored or revised (:event given), a person's
-- whereabouts changed (:migrants given), everything, the clock. Only the way to the pairs differs: pairs_by_zone.sql
-- or pairs_by_person.sql goes in.
-- Parameters: state, at, recorded_at, crossing_id, cause, event, migrants, severity_if_unknown, stale_after.
with zone_in_force as (
    select z.zone_id, z.event_id, z.firm, coalesce(z.severity, :severity_if_unknown) as severity, z.valid_from,
           case when :at >= e.began_at + :stale_after then e.began_at end as stale_before
      from zone_of_state z
      join event e on e.event_id = z.event_id
     where (cast(:event as uuid) is null or z.event_id = :event)
       and z.valid_from <= :at
       and coalesce(z.valid_until > :at, true)
       and coalesce(z.ended_at > :at, true)
       and z.accepted
    union all
    select a.area_id, a.event_id, true, a.severity, a.declared_at,
           case when :at >= s.began_at + :stale_after then s.began_at end
      from declared_area a
      join situation s on s.registering_state = a.registering_state and s.event_id = a.event_id
     where a.registering_state = :state
       and (cast(:event as uuid) is null or a.event_id = :event)
       and a.declared_at <= :at and coalesce(a.ended_at > :at, true)
),
cover as (
    select zone_id, radius_class, cell_from, cell_to, piece from zone_cell
    union all
    select area_id, radius_class, cell_from, cell_to, piece from declared_cell where registering_state = :state
),
-- (zone, candidate): is_inside when a firm candidate of at most 25 km lies in a firm zone; else its disc touches it.
pair as (
{pairs}
),
-- One row per person and zone: inside beats possible.
by_zone as (
    select distinct on (event_id, migrant_id, zone_id) *
      from pair
     order by event_id, migrant_id, zone_id, is_inside desc, severity desc, began_at, location_id
),
-- The best of those inside and the best of those possible: at most two rows a person. (An aggregate with an order
-- of its own would sort once for each person and column.)
best as (
    select distinct on (event_id, migrant_id, is_inside) *,
           min(began_at) over (partition by event_id, migrant_id) as first_began_at
      from by_zone
     order by event_id, migrant_id, is_inside desc, severity desc, began_at, zone_id
),
desired as (
    select distinct on (event_id, migrant_id)
           event_id, migrant_id, case when is_inside then 'inside' else 'possible' end as presence,
           case when is_inside then severity end as severity_inside,
           case when is_inside then lead(severity) over person else severity end as severity_possible,
           case when is_inside then zone_id end as zone_inside,
           case when is_inside then lead(zone_id) over person else zone_id end as zone_possible,
           case when is_inside then location_id end as location_inside,
           case when is_inside then lead(location_id) over person else location_id end as location_possible,
           cell, country, keeper_post_id, serving_post_id, first_began_at as began_at
      from best
    window person as (partition by event_id, migrant_id order by is_inside desc)
     order by event_id, migrant_id, is_inside desc
),
-- The last episode of everybody who ever was in an event in scope; its values are null where it has ended.
previous as (
    select distinct on (event_id, migrant_id)
           event_id, migrant_id, episode, began_at, cell, country, keeper_post_id, serving_post_id, zone_inside,
           zone_possible, location_inside, location_possible,
           case when ended_at is null then presence end as presence,
           case when ended_at is null then severity_inside end as severity_inside,
           case when ended_at is null then severity_possible end as severity_possible
      from exposure
     where registering_state = :state
       and (cast(:event as uuid) is null or event_id = :event)
       and (cast(:migrants as uuid[]) is null or migrant_id = any(:migrants))
     order by event_id, migrant_id, episode desc
),
-- The row to write of each of them, and what changes, in the order of the keys. A full join is never done row by row,
-- whatever the planner expects.
merged as materialized (
    select coalesce(d.event_id, o.event_id) as event_id, coalesce(d.migrant_id, o.migrant_id) as migrant_id,
           case when o.presence is null then coalesce(o.episode, 0) + 1 else o.episode end as episode,
           case when d.presence is null then o.presence else d.presence end as presence,
           case when d.presence is null then o.severity_inside else d.severity_inside end as severity_inside,
           case when d.presence is null then o.severity_possible else d.severity_possible end as severity_possible,
           case when d.presence is null then o.zone_inside else d.zone_inside end as zone_inside,
           case when d.presence is null then o.zone_possible else d.zone_possible end as zone_possible,
           case when d.presence is null then o.location_inside else d.location_inside end as location_inside,
           case when d.presence is null then o.location_possible else d.location_possible end as location_possible,
           case when d.presence is null then o.cell else d.cell end as cell,
           case when d.presence is null then o.country else d.country end as country,
           case when d.presence is null then o.keeper_post_id else d.keeper_post_id end as keeper_post_id,
           case when d.presence is null then o.serving_post_id else d.serving_post_id end as serving_post_id,
           case when o.presence is null then d.began_at else o.began_at end as began_at,
           o.presence as presence_before, d.presence as presence_after,
           coalesce(o.severity_inside, o.severity_possible) as severity_before,
           coalesce(d.severity_inside, d.severity_possible) as severity_after,
           case when o.presence is null then 'entered'
                when d.presence is null then 'left'
                when o.presence = 'possible' and d.presence = 'inside' then 'firmed'
                when o.presence = 'inside' and d.presence = 'possible' then 'loosened'
                when coalesce(d.severity_inside, d.severity_possible)
                     > coalesce(o.severity_inside, o.severity_possible) then 'raised'
                when coalesce(d.severity_inside, d.severity_possible)
                     < coalesce(o.severity_inside, o.severity_possible) then 'lowered'
           end as change
      from desired d
      full join previous o on o.event_id = d.event_id and o.migrant_id = d.migrant_id
     where (d.presence is not null or o.presence is not null)
       and (o.presence, o.severity_inside, o.severity_possible, o.zone_inside, o.zone_possible, o.location_inside,
            o.location_possible, o.cell, o.country, o.keeper_post_id, o.serving_post_id)
               is distinct from
           (d.presence, d.severity_inside, d.severity_possible, d.zone_inside, d.zone_possible, d.location_inside,
            d.location_possible, d.cell, d.country, d.keeper_post_id, d.serving_post_id)
     order by 1, 2
),
opened as (
    insert into exposure (registering_state, event_id, migrant_id, episode, presence, severity_inside,
                          severity_possible, zone_inside, zone_possible, location_inside, location_possible, cell,
                          country, keeper_post_id, serving_post_id, began_at, crossing_id, recorded_at)
    select :state, event_id, migrant_id, episode, presence, severity_inside, severity_possible, zone_inside,
           zone_possible, location_inside, location_possible, cell, country, keeper_post_id, serving_post_id, began_at,
           :crossing_id, :recorded_at
      from merged
     where change = 'entered'
),
-- Open ones are changed by key, not by a join to `exposure`, which goes wrong while its statistics are older than the
-- event. An exposure ends when its zone or its location did, not when we found out.
changed as (
    insert into exposure as e (registering_state, event_id, migrant_id, episode, presence, severity_inside,
                               severity_possible, zone_inside, zone_possible, location_inside, location_possible, cell,
                               country, keeper_post_id, serving_post_id, began_at, ended_at, crossing_id, recorded_at)
    select :state, n.event_id, n.migrant_id, n.episode, n.presence, n.severity_inside, n.severity_possible,
           n.zone_inside, n.zone_possible, n.location_inside, n.location_possible, n.cell, n.country,
           n.keeper_post_id, n.serving_post_id, n.began_at,
           case when n.change = 'left' then greatest(n.began_at, least(:at,
               (select least(z.valid_until, z.ended_at) from zone_of_state z
                 where z.zone_id = coalesce(n.zone_inside, n.zone_possible)),
               (select a.ended_at from declared_area a
                 where a.registering_state = :state and a.area_id = coalesce(n.zone_inside, n.zone_possible)),
               (select max(w.until_at) from whereabouts w
                 where w.registering_state = :state and w.migrant_id = n.migrant_id
                   and w.location_id = coalesce(n.location_inside, n.location_possible) and w.until_at <= :at))) end,
           :crossing_id, :recorded_at
      from merged n
     where n.change is distinct from 'entered'
    on conflict (registering_state, event_id, migrant_id, episode) do update
       set presence = excluded.presence, severity_inside = excluded.severity_inside,
           severity_possible = excluded.severity_possible, zone_inside = excluded.zone_inside,
           zone_possible = excluded.zone_possible, location_inside = excluded.location_inside,
           location_possible = excluded.location_possible, cell = excluded.cell, country = excluded.country,
           keeper_post_id = excluded.keeper_post_id, serving_post_id = excluded.serving_post_id,
           ended_at = excluded.ended_at, crossing_id = excluded.crossing_id, recorded_at = excluded.recorded_at
),
noted as (
    insert into exposure_change (registering_state, event_id, crossing_id, migrant_id, change, cause, presence_before,
                                 presence_after, severity_before, severity_after, keeper_post_id, serving_post_id, at,
                                 recorded_at)
    select :state, event_id, :crossing_id, migrant_id, change, :cause, presence_before, presence_after,
           severity_before, severity_after, keeper_post_id, serving_post_id, :at, :recorded_at
      from merged
     where change is not null
    returning event_id, change
)
select event_id, change, count(*) as persons from noted group by event_id, change
