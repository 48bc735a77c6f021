-- Whom a rule means in one crossing of one event, and who is written to for each: the person's own best address of
-- the channel, else, for members who do not live apart and are not protected, that of the head or an adult of the
-- household. A person reported dead neither gets a message nor is the reason of one, until an officer's later word.
-- Parameters: state, event, crossing, rule, channel, min_inside, min_possible, adult_born_by.
with dead as materialized (
    select w.migrant_id
      from welfare_entry w
     where w.registering_state = :state and w.state = 'dead'
       and not exists (select 1 from welfare_entry later
                        where later.registering_state = w.registering_state and later.event_id = w.event_id
                          and later.migrant_id = w.migrant_id and later.state <> 'dead'
                          and later.trust = 'authenticated' and later.recorded_at > w.recorded_at)
),
affected as materialized (
    select m.migrant_id, m.household_id, m.lives_apart or m.protected as stands_alone, e.country, e.serving_post_id,
           coalesce(e.severity_inside, e.severity_possible) as severity,
           x.change = 'raised' or coalesce(x.severity_after > x.severity_before, false) as raised
      from exposure_change x
      join exposure e on e.registering_state = x.registering_state and e.event_id = x.event_id
                     and e.migrant_id = x.migrant_id and e.ended_at is null
      join migrant m on m.registering_state = x.registering_state and m.migrant_id = x.migrant_id
     where x.registering_state = :state and x.event_id = :event and x.crossing_id = :crossing
       and x.change in ('entered', 'raised', 'firmed')
       and (e.severity_inside >= :min_inside or greatest(e.severity_inside, e.severity_possible) >= :min_possible)
       and m.state_of_record <> 'deceased'
       and m.migrant_id not in (select migrant_id from dead)
),
member as materialized (
    select m.migrant_id, m.household_id, m.is_head, m.lives_apart, m.protected, m.born_on, m.language,
           m.keeper_post_id
      from migrant m
     where m.registering_state = :state
       and m.household_id in (select household_id from affected)
       and m.state_of_record <> 'deceased'
       and m.migrant_id not in (select migrant_id from dead)
),
usable as materialized (
    select distinct on (c.migrant_id) c.migrant_id, c.contact_point_id, c.address, c.blind_index
      from member m
      join contact_point c on c.registering_state = :state and c.migrant_id = m.migrant_id
     where c.channel = :channel
       and coalesce(c.verified_at > c.bounced_at, c.bounced_at is null)
       and not (m.protected and c.others_read_it)
     order by c.migrant_id, c.preferred desc, (c.verified_at is not null) desc, c.others_read_it, c.recorded_at desc,
              c.contact_point_id
),
standing_in as (
    select distinct on (m.household_id) m.household_id, m.migrant_id
      from member m
      join usable u on u.migrant_id = m.migrant_id
     where not m.lives_apart and not m.protected
       and (m.is_head or coalesce(m.born_on <= :adult_born_by, true))
     order by m.household_id, m.is_head desc, m.born_on nulls last, m.migrant_id
),
size as (
    select household_id, count(*) filter (where not lives_apart) as persons from member group by household_id
),
told as materialized (
    select n.migrant_id, n.household_id, p.blind_index
      from campaign c
      join notification n on n.registering_state = c.registering_state and n.campaign_id = c.campaign_id
      left join contact_point p on p.registering_state = n.registering_state
                               and p.contact_point_id = n.contact_point_id
     where c.registering_state = :state and c.event_id = :event and c.rule_id = :rule
       and n.status not in ('permanent_failure', 'expired', 'stopped')
),
told_person as (select migrant_id, count(*) as times from told group by migrant_id),
told_address as (select distinct household_id, blind_index from told)
select a.migrant_id, a.household_id, a.severity, a.country, a.serving_post_id, a.raised,
       r.migrant_id as recipient_id, r.is_head as recipient_is_head, r.keeper_post_id, r.language,
       case when r.lives_apart then 1 else coalesce(s.persons, 1) end as household_size,
       u.contact_point_id, u.address as sealed_address,
       coalesce(p.times, case when d.blind_index is null then 0 else 1 end) as told
  from affected a
  left join usable own on own.migrant_id = a.migrant_id
  left join standing_in other on other.household_id = a.household_id and not a.stands_alone
  left join member r on r.migrant_id = coalesce(own.migrant_id, other.migrant_id)
  left join usable u on u.migrant_id = r.migrant_id
  left join size s on s.household_id = a.household_id
  left join told_person p on p.migrant_id = r.migrant_id
  left join told_address d on d.household_id = a.household_id and d.blind_index = u.blind_index
 order by a.migrant_id
