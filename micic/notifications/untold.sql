-- Who is in an event by a rule's thresholds, was not told by the rule, and may have an address that was not tried in
-- vain: no message of the rule in the event to them or to their address; without an address of their own, none to an
-- adult who speaks for them. `declared`: a person's act put them in the event, and nobody approved telling them so.
-- What a person stopped is proposed once more (the reminder waits for approval), not after that. Left out are those
-- whose change the rule has yet to meet, and those whom nothing has changed since the rule was approved.
-- Row by row by index (`limit 1`, aggregates): never on the word of statistics, which do not know the last minute.
-- Parameters: state, event, rule, channel, approved_at, unmet, adult_born, min_inside, min_possible.
with dead as materialized (
{dead}
),
untold as materialized (
    select e.migrant_id, coalesce(e.severity_inside, e.severity_possible) as severity, e.country, e.serving_post_id
      from exposure e
      left join lateral (
            select true as is_told
              from (select campaign_id, event_id, status
                      from notification
                     where registering_state = :state and migrant_id = e.migrant_id
                    offset 0) n
              join campaign c on c.registering_state = :state and c.campaign_id = n.campaign_id
             where n.event_id = :event and c.rule_id = :rule
               and (n.status in ('created', 'sending', 'sent', 'delivered', 'uncertain', 'temporary_failure')
                    or n.status = 'stopped' and c.crossing_id is null)
             limit 1) told on true
     where e.registering_state = :state and e.event_id = :event and e.ended_at is null
       and (e.severity_inside >= :min_inside
            or greatest(e.severity_inside, e.severity_possible) >= :min_possible)
       and told.is_told is null and e.migrant_id not in (select migrant_id from dead)
)
select e.migrant_id, m.household_id, e.severity, e.country, e.serving_post_id, met.declared
  from untold e
 cross join lateral (
        select household_id, lives_apart, protected
          from migrant
         where registering_state = :state and migrant_id = e.migrant_id and state_of_record <> 'deceased'
         limit 1) m
 cross join lateral (
        select x.cause = 'declaration'
               and not exists (select 1 from campaign c
                                where c.registering_state = :state and c.rule_id = :rule and c.event_id = :event
                                  and c.crossing_id = x.crossing_id and c.recipients > 0
                                  and c.status in ('approved', 'sending', 'paused', 'done')) as declared
          from (select * from exposure_change
                 where registering_state = :state and migrant_id = e.migrant_id
                offset 0) x
         where x.event_id = :event
           and (x.change in ('entered', 'raised', 'firmed')
                or x.change = 'loosened' and x.severity_after > x.severity_before)
           and x.recorded_at >= :approved_at
         order by x.recorded_at desc, x.crossing_id desc
         limit 1) met
  left join lateral (
        select p.blind_index
          from contact_point p
         where p.registering_state = :state and p.migrant_id = e.migrant_id and p.channel = :channel
           and {usable}
         order by p.preferred desc, (p.verified_at is not null) desc, p.others_read_it, p.recorded_at desc,
                  p.contact_point_id
         limit 1) u on true
 cross join lateral (
        select coalesce(bool_or(p.blind_index = u.blind_index), false) as address_told,
               coalesce(bool_or(not o.lives_apart and not o.protected
                                and (o.is_head or coalesce(o.born_on <= :adult_born, true))), false) as adult_told
          from (select migrant_id, lives_apart, protected, is_head, born_on
                  from migrant
                 where registering_state = :state and household_id = m.household_id
                offset 0) o
         cross join lateral (
                select campaign_id, event_id, status, contact_point_id
                  from notification
                 where registering_state = :state and migrant_id = o.migrant_id
                offset 0) n
          join campaign c on c.registering_state = :state and c.campaign_id = n.campaign_id and c.rule_id = :rule
          left join lateral (
                select blind_index from contact_point
                 where registering_state = :state and contact_point_id = n.contact_point_id
                 limit 1) p on true
         where n.event_id = :event
           and n.status in ('created', 'sending', 'sent', 'delivered', 'uncertain', 'temporary_failure')) near
 where not exists (select 1 from (select * from exposure_change
                                   where registering_state = :state and migrant_id = e.migrant_id
                                  offset 0) x
                    where x.event_id = :event and x.crossing_id = any(cast(:unmet as uuid[])))
   and case when u.blind_index is not null then not near.address_told
            else not near.adult_told and not m.lives_apart and not m.protected
                 and exists (select 1 from (select migrant_id from migrant
                                             where registering_state = :state and household_id = m.household_id
                                            offset 0) o
                              cross join lateral (
                                    select channel from contact_point
                                     where registering_state = :state and migrant_id = o.migrant_id
                                    offset 0) p
                              where p.channel = :channel and o.migrant_id <> e.migrant_id) end
