-- The registered people of one event by presence, and how far each group has been reached (RULES 4 and 6). One row
-- per presence and one, with presence null, for all of them; households that are split count once there.
-- Persons are those that the context may see; {news} is the body of micic.cases. Parameters: state, event, now.
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
                      and c.verified_at is not null and coalesce(c.verified_at > c.bounced_at, true)) as contactable
      from person p
      left join migrant m on m.registering_state = :state and m.migrant_id = p.migrant_id
),
receipt as (
    select migrant_id from contact_entry
     where registering_state = :state and event_id = :event and state in ('delivered','answered')
    union
    select migrant_id from notification
     where registering_state = :state and event_id = :event and status = 'delivered'
),
subject as (select migrant_id from person),
{news},
answer as (
    select r.presence, r.migrant_id, r.household_id, r.contactable, d.migrant_id is not null as reached,
           coalesce(n.answered, false) or coalesce(n.welfare in ('safe','need','injured'), false) as answered,
           n.needs_help_since is not null as needs_help, coalesce(n.welfare = 'safe', false) as is_safe
      from reach r
      left join receipt d on d.migrant_id = r.migrant_id
      left join news n on n.migrant_id = r.migrant_id
)
select presence, count(*) as persons, count(distinct household_id) as households,
       count(*) filter (where contactable) as contactable,
       count(*) filter (where reached or answered) as reached,
       count(*) filter (where answered) as answered,
       count(*) filter (where needs_help) as need_help,
       count(*) filter (where is_safe and not needs_help) as safe
  from answer
 group by grouping sets ((presence), ())
