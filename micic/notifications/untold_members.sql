-- The members of the households of the untold, one row each as in members.sql, with the best address that was not
-- tried in vain, and how often the rule wrote to them or to that address. Whom of them the rule means is not said here.
-- Parameters: state, event, rule, channel, households.
with dead as materialized (
{dead}
)
select m.migrant_id, m.household_id, m.is_head, m.lives_apart, m.protected, m.born_on, m.language, m.keeper_post_id,
       cast(null as smallint) as severity, cast(null as text) as country, cast(null as uuid) as serving_post_id,
       false as raised, u.contact_point_id, u.address as sealed_address, t.times as told
  from unnest(cast(:households as uuid[])) as h (household_id)
 cross join lateral (
        select * from migrant
         where registering_state = :state and household_id = h.household_id and state_of_record <> 'deceased'
        offset 0) m
  left join lateral (
        select p.contact_point_id, p.address, p.blind_index
          from contact_point p
         where p.registering_state = :state and p.migrant_id = m.migrant_id and p.channel = :channel
           and {usable}
         order by p.preferred desc, (p.verified_at is not null) desc, p.others_read_it, p.recorded_at desc,
                  p.contact_point_id
         limit 1) u on true
 cross join lateral (
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
           and n.status not in ('permanent_failure', 'expired', 'stopped')) t
 where m.migrant_id not in (select migrant_id from dead)
 order by m.household_id, m.migrant_id
