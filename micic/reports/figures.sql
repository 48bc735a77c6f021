-- The registered people of one event by presence, and how far each group has been reached (RULES 4 and 6). One row
-- per presence and one, with presence null, for all of them; households that are split count once there.
-- Persons are those that the context may see. Parameters: state, event, now.
with exposed as materialized (
    select migrant_id, presence, coalesce(severity_inside, severity_possible) as severity
      from exposure
     where registering_state = :state and event_id = :event and ended_at is null
),
concerned as materialized (
    select country, whole_country, severity
      from exposure_country
     where registering_state = :state and event_id = :event and ended_at is null
),
-- People without a row of their own: *possible* where all the country is in a coarse zone, else *unknown* where
-- nothing better than the country, or nothing fresh, is known of them.
elsewhere as materialized (
    select w.migrant_id, bool_or(c.whole_country) as whole_country,
           max(c.severity) filter (where c.whole_country) as severity
      from concerned c
      join whereabouts w on w.registering_state = :state and w.country = c.country
     where w.from_at <= :now and coalesce(w.until_at > :now, true)
       and not exists (select 1 from exposed x where x.migrant_id = w.migrant_id)
     group by w.migrant_id
    having bool_or(c.whole_country) or not bool_or(w.firm and w.radius_class < 6)
),
person as materialized (
    select migrant_id, presence, severity from exposed
    union all
    select migrant_id, case when whole_country then 'possible' else 'unknown' end, severity from elsewhere
),
reach as (
    select p.migrant_id, p.presence, m.household_id,
           exists (select 1 from contact_point c
                    where c.registering_state = :state and c.migrant_id = p.migrant_id
                      and c.verified_at is not null and c.bounced_at is null) as contactable
      from person p
      left join migrant m on m.registering_state = :state and m.migrant_id = p.migrant_id
),
contact as (
    select migrant_id, bool_or(state in ('delivered','answered')) as reached, bool_or(state = 'answered') as answered
      from contact_entry
     where registering_state = :state and event_id = :event
     group by migrant_id
),
delivered as (
    select distinct migrant_id
      from notification
     where registering_state = :state and event_id = :event and status = 'delivered'
),
-- A need counts at any trust and stays open until an officer or responder says otherwise after it.
told as (
    select migrant_id,
           max(source_at) filter (where state in ('need','injured')) as need_at,
           max(source_at) filter (where state in ('safe','found') and trust = 'authenticated') as closed_at,
           bool_or(state = 'safe') as said_safe
      from welfare_entry
     where registering_state = :state and event_id = :event
     group by migrant_id
),
answer as (
    select r.presence, r.migrant_id, r.household_id, r.contactable,
           coalesce(c.reached, false) or d.migrant_id is not null as reached,
           coalesce(c.answered, false) or t.need_at is not null or coalesce(t.said_safe, false) as answered,
           t.need_at is not null and coalesce(t.closed_at <= t.need_at, true) as needs_help,
           coalesce(t.said_safe, false) as said_safe
      from reach r
      left join contact c on c.migrant_id = r.migrant_id
      left join delivered d on d.migrant_id = r.migrant_id
      left join told t on t.migrant_id = r.migrant_id
)
select presence, count(*) as persons, count(distinct household_id) as households,
       count(*) filter (where contactable) as contactable,
       count(*) filter (where reached or answered) as reached,
       count(*) filter (where answered) as answered,
       count(*) filter (where needs_help) as need_help,
       count(*) filter (where said_safe and not needs_help) as safe
  from answer
 group by grouping sets ((presence), ())
