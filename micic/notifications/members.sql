-- The households of whoever a crossing changed, one row per member: what the crossing means for them, if the rule
-- means them, and the best address that is theirs. Who is written to for whom is decided in `rules`.
-- `raised` does not say again what an earlier campaign, made for this person when this crossing had been committed
-- (`seen`), has said already.
-- Each part is looked up by an index from the row before (`offset 0` keeps the planner to that): statistics never
-- know a crossing of a second ago, and a wrong guess here costs minutes.
-- Parameters: state, event, crossing, rule, channel, min_inside, min_possible.
with dead as materialized (
{dead}
),
household_changed as materialized (
    select distinct m.household_id
      from exposure_change x
      join migrant m on m.registering_state = x.registering_state and m.migrant_id = x.migrant_id
     where x.registering_state = :state and x.event_id = :event and x.crossing_id = :crossing
       and (x.change in ('entered', 'raised', 'firmed')
            or x.change = 'loosened' and x.severity_after > x.severity_before)
)
select m.migrant_id, m.household_id, m.is_head, m.lives_apart, m.protected, m.born_on, m.language, m.keeper_post_id,
       a.severity, a.country, a.serving_post_id, coalesce(a.raised, false) as raised,
       u.contact_point_id, u.address as sealed_address, coalesce(t.times, 0) as told
  from household_changed h
  join migrant m on m.registering_state = :state and m.household_id = h.household_id
  left join lateral (
        select coalesce(e.severity_inside, e.severity_possible) as severity, e.country, e.serving_post_id,
               (x.change = 'raised' or coalesce(x.severity_after > x.severity_before, false))
               and not exists (select 1 from campaign c
                                 join exposure_change b on b.registering_state = :state and b.event_id = :event
                                                       and b.crossing_id = c.crossing_id
                                                       and b.migrant_id = x.migrant_id
                                where c.registering_state = :state and c.rule_id = :rule and c.event_id = :event
                                  and jsonb_exists(c.snapshot -> 'seen', cast(x.crossing_id as text))) as raised
          from exposure_change x
          join exposure e on e.registering_state = x.registering_state and e.event_id = x.event_id
                         and e.migrant_id = x.migrant_id and e.ended_at is null
         where x.registering_state = :state and x.event_id = :event and x.crossing_id = :crossing
           and x.migrant_id = m.migrant_id
           and (x.change in ('entered', 'raised', 'firmed')
                or x.change = 'loosened' and x.severity_after > x.severity_before)
           and (e.severity_inside >= :min_inside
                or greatest(e.severity_inside, e.severity_possible) >= :min_possible)
        offset 0) a on true
  left join lateral (
        select c.contact_point_id, c.address, c.blind_index
          from contact_point c
         where c.registering_state = :state and c.migrant_id = m.migrant_id and c.channel = :channel
           and coalesce(c.verified_at > c.bounced_at, c.bounced_at is null)
           and not (m.protected and c.others_read_it)
         order by c.preferred desc, (c.verified_at is not null) desc, c.others_read_it, c.recorded_at desc,
                  c.contact_point_id
         limit 1) u on true
  -- Earlier messages of this rule in this event to this person, or to this address within the household.
  left join lateral (
        select count(*) as times
          from (select m.migrant_id
                 union
                select p.migrant_id
                  from contact_point p
                  join migrant o on o.registering_state = p.registering_state and o.migrant_id = p.migrant_id
                 where p.registering_state = :state and p.blind_index = u.blind_index
                   and o.household_id = m.household_id) r
         cross join lateral (
                select n.campaign_id, n.event_id, n.status
                  from notification n
                 where n.registering_state = :state and n.migrant_id = r.migrant_id
                offset 0) n
          join campaign c on c.registering_state = :state and c.campaign_id = n.campaign_id
         where n.event_id = :event and c.rule_id = :rule
           and n.status not in ('permanent_failure', 'expired', 'stopped')) t on u.contact_point_id is not null
 where m.state_of_record <> 'deceased' and m.migrant_id not in (select migrant_id from dead)
 order by m.household_id, m.migrant_id
