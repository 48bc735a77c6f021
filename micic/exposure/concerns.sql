-- Whether an accepted zone of the event, in force or not, touches a country where this State has anybody on record.
select exists (
    select 1
      from zone_of_state z
      join zone_country c on c.zone_id = z.zone_id
     where z.event_id = :event
       and z.accepted
       and exists (select 1 from whereabouts w where w.registering_state = :state and w.country = c.country))
