-- Whether an accepted zone of the event, in force or not, touches a country where this State has anybody on record.
select exists (
    select 1
      from zone z
      join message m on m.message_id = z.message_id
      join zone_country c on c.zone_id = z.zone_id
     where z.event_id = :event
       and coalesce((select d.decision from alert_decision d
                      where d.registering_state = :state and d.message_id = z.message_id
                      order by d.decided_at desc, d.decision_id desc limit 1), m.verdict) = 'accepted'
       and exists (select 1 from whereabouts w where w.registering_state = :state and w.country = c.country))
