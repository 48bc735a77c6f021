-- Events that concern a country where one of these persons may be, and of which this State has no row for it yet:
-- somebody came, or was registered, after the event was crossed. Parameters: state, at, migrants.
select distinct z.event_id
  from (select distinct country from whereabouts
         where registering_state = :state and migrant_id = any(:migrants)) w
  join zone_country c on c.country = w.country
  join zone_of_state z on z.zone_id = c.zone_id
 where z.accepted and z.valid_from <= :at and coalesce(z.valid_until > :at, true) and coalesce(z.ended_at > :at, true)
   and not exists (select 1 from exposure_country x
                    where x.registering_state = :state and x.event_id = z.event_id and x.country = w.country
                      and x.ended_at is null)
