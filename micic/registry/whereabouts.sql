-- Makes the whereabouts of the persons in scope equal to what their locations say (RULES 1): for each person the
-- candidates over time, each firm or soft from when until when. It does not ask what time it is: a check-in that
-- will grow old, a trip that will begin are rows already, and the clock only has to look at from_at and until_at.
-- Parameters: state, migrants (uuid[]; null: everybody), check_in, officer, third_party (intervals of freshness).
-- Scope is whole households, because a member without a place of their own stands where the head is. Two branches,
-- of which the planner drops one: an "or" would read everybody to find a few. Every person has a post (a foreign
-- key); of a left join the planner never expects less than it gets.
with scope as materialized (
    select m.migrant_id, m.household_id, m.keeper_post_id, m.is_head, m.lives_apart,
           m.state_of_record = 'registered' as is_abroad,
           make_interval(days => p.confirm_interval_days) as confirm_interval
      from (select *
              from migrant
             where registering_state = :state and cast(:migrants as uuid[]) is null
             union all
            select *
              from migrant
             where registering_state = :state
               and household_id in (select h.household_id
                                      from migrant h
                                     where h.registering_state = :state and h.migrant_id = any(:migrants))) m
      left join consular_post p on p.registering_state = m.registering_state and p.post_id = m.keeper_post_id
),
-- One row per claim, with the period for which it is a candidate and the instant until which it is fresh.
claim as materialized (
    select l.migrant_id, l.location_id, l.source, l.position, l.cell, l.radius_class, l.country, l.serving_post_id,
           l.observed_at,
           st_x(l.position) as lon, st_y(l.position) as lat,
           (array[50, 500, 5000, 25000, 100000])[l.radius_class] as radius_m,
           case when l.source in ('check_in', 'officer', 'detention', 'vessel', 'flight') then 'observation'
                when l.source = 'third_party' then 'report'
                else l.source end as role,
           case when l.source in ('check_in', 'officer', 'third_party', 'detention', 'vessel', 'flight')
                then l.observed_at else l.valid_from end as claim_from,
           case when l.source in ('residence', 'trip_leg', 'jurisdiction')
                then coalesce(l.valid_until, 'infinity') else 'infinity' end as claim_until,
           case l.source when 'check_in' then l.observed_at + :check_in
                         when 'officer' then l.observed_at + :officer
                         when 'third_party' then l.observed_at + :third_party
                         when 'detention' then 'infinity'
                         when 'residence' then l.observed_at + s.confirm_interval
                         else coalesce(l.valid_until, 'infinity') end as fresh_until
      from location l
      join scope s on s.migrant_id = l.migrant_id and s.is_abroad
     where l.registering_state = :state and l.retracted_at is null
),
instant as (
    select migrant_id, claim_from as at from claim
    union select migrant_id, claim_until from claim
    union select migrant_id, fresh_until from claim
    union select migrant_id, observed_at from claim
),
span as (
    select migrant_id, at as from_at, lead(at) over (partition by migrant_id order by at) as until_at
      from instant
),
-- The latest word on where the person really was, at the start of each span. A coarse one contradicts nothing.
latest as (
    select distinct on (s.migrant_id, s.from_at)
           s.migrant_id, s.from_at, o.location_id, o.observed_at, o.fresh_until, o.lon, o.lat, o.radius_m
      from span s
      join claim o on o.migrant_id = s.migrant_id
                  and o.role = 'observation' and o.radius_class <= 4 and o.observed_at <= s.from_at
     order by s.migrant_id, s.from_at, o.observed_at desc, o.location_id desc
),
standing as (
    select s.from_at, s.until_at, c.*,
           l.location_id as latest_id, l.observed_at as latest_at,
           l.fresh_until > s.from_at as latest_fresh,
           geo_distance_m(l.lon, l.lat, c.lon, c.lat) <= l.radius_m + c.radius_m as touches_latest
      from span s
      join claim c on c.migrant_id = s.migrant_id and c.claim_from <= s.from_at and c.claim_until > s.from_at
      left join latest l on l.migrant_id = s.migrant_id and l.from_at = s.from_at
     where s.until_at is not null
),
-- The last time, up to each span, that the person confirmed the residence.
home as (
    select s.migrant_id, s.from_at, max(c.observed_at) as confirmed_at
      from span s
      join claim c on c.migrant_id = s.migrant_id and c.role = 'residence' and c.observed_at <= s.from_at
     group by s.migrant_id, s.from_at
),
-- A journey is shown once the latest observation, made during the leg, touches it. A report or a stale observation
-- falls once the residence was confirmed after it had grown stale.
judged as materialized (
    select s.*,
           row_number() over (partition by s.migrant_id, s.from_at, s.role
                              order by s.observed_at desc, s.location_id desc) > 1 as replaced,
           role = 'trip_leg' and coalesce(latest_at >= claim_from and touches_latest, false) as journey_shown,
           coalesce(h.confirmed_at >= s.fresh_until, false) as outlived
      from standing s
      left join home h on h.migrant_id = s.migrant_id and h.from_at = s.from_at
),
-- Somebody says later than the residence was confirmed that the person is elsewhere.
disputed as (
    select distinct h.migrant_id, h.from_at, h.location_id
      from judged h
      join judged r on r.migrant_id = h.migrant_id and r.from_at = h.from_at
     where h.role = 'residence' and r.role = 'report' and r.observed_at > h.observed_at and not r.outlived
       and coalesce(r.latest_at < r.observed_at, true)
       and geo_distance_m(r.lon, r.lat, h.lon, h.lat) > r.radius_m + h.radius_m
),
candidate as (
    select j.*,
           case role
               when 'observation' then coalesce(location_id = latest_id and latest_fresh, false)
               when 'trip_leg' then journey_shown
               when 'residence' then
                   fresh_until > from_at
                   and not bool_or(role = 'trip_leg') over span_of_person
                   and not coalesce(latest_at > observed_at and not touches_latest, false)
                   and d.location_id is null
               else false
           end as firm,
           case role
               when 'observation' then
                   case when location_id = latest_id then latest_fresh or not outlived
                        else radius_class >= 5 and not outlived and coalesce(latest_at <= observed_at, true) end
               when 'report' then coalesce(latest_at < observed_at, true) and not outlived
               when 'residence' then not replaced and not coalesce(latest_fresh, false)
                    and not bool_or(journey_shown) over span_of_person
               else not coalesce(latest_fresh, false)
           end as stands
      from judged j
      left join disputed d using (migrant_id, from_at, location_id)
    window span_of_person as (partition by migrant_id, from_at)
),
-- Only the country is a candidate where nothing better is.
chosen as (
    select c.*
      from (select c.*,
                   bool_or(stands and role <> 'jurisdiction') over (partition by migrant_id, from_at) as better
              from candidate c) c
     where stands and not (role = 'jurisdiction' and better)
),
-- Neighbouring spans in which a claim stands alike become one row.
island as (
    select c.*, sum(starts) over (partition by migrant_id, location_id order by from_at) as island_no
      from (select c.*,
                   case when lag(until_at) over w = from_at and lag(firm) over w = firm then 0 else 1 end as starts
              from chosen c
            window w as (partition by migrant_id, location_id order by from_at)) c
),
own as (
    select migrant_id, location_id, min(from_at) as from_at, nullif(max(until_at), 'infinity') as until_at, firm,
           source, observed_at, position, cell, radius_class, country, serving_post_id
      from island
     group by migrant_id, location_id, island_no, firm, source, observed_at, position, cell, radius_class, country,
              serving_post_id
),
-- When somebody has a place of their own; at all other times a member stands where the head does.
placed as (
    select migrant_id, range_agg(tstzrange(from_at, until_at)) as during
      from own
     where position is not null
     group by migrant_id
),
desired as materialized (
    select o.*, s.keeper_post_id
      from own o
      join scope s on s.migrant_id = o.migrant_id
    union all
    select member.migrant_id, o.location_id, lower(lent), upper(lent), false, 'household', o.observed_at, o.position,
           o.cell, o.radius_class, o.country, o.serving_post_id, member.keeper_post_id
      from scope member
      join scope head on head.household_id = member.household_id and head.is_head
      join own o on o.migrant_id = head.migrant_id and o.position is not null
      left join placed p on p.migrant_id = member.migrant_id
     cross join lateral unnest(tstzmultirange(tstzrange(o.from_at, o.until_at)) - coalesce(p.during, '{}')) as lent
     where member.is_abroad and not member.is_head and not member.lives_apart
),
-- What is no longer desired. A full join is never done row by row, whatever the planner expects.
gone as (
    delete from whereabouts w
     using (select h.migrant_id, h.location_id, h.from_at
              from (select w.migrant_id, w.location_id, w.from_at
                      from whereabouts w
                      join scope s on s.migrant_id = w.migrant_id
                     where w.registering_state = :state) h
              full join desired d on d.migrant_id = h.migrant_id and d.location_id = h.location_id
                                 and d.from_at = h.from_at
             where d.migrant_id is null
            offset 0) g
     where w.registering_state = :state and w.migrant_id = g.migrant_id and w.location_id = g.location_id
       and w.from_at = g.from_at
    returning 1
),
kept as (
    insert into whereabouts as w (registering_state, migrant_id, location_id, from_at, until_at, firm, source,
                                  observed_at, position, cell, radius_class, country, keeper_post_id, serving_post_id)
    select :state, migrant_id, location_id, from_at, until_at, firm, source, observed_at, position, cell, radius_class,
           country, keeper_post_id, serving_post_id
      from desired
     order by radius_class, cell
    on conflict (registering_state, migrant_id, location_id, from_at) do update
       set until_at = excluded.until_at, firm = excluded.firm, source = excluded.source,
           keeper_post_id = excluded.keeper_post_id, serving_post_id = excluded.serving_post_id
     where (w.until_at, w.firm, w.source, w.keeper_post_id, w.serving_post_id)
           is distinct from (excluded.until_at, excluded.firm, excluded.source, excluded.keeper_post_id,
                             excluded.serving_post_id)
    returning 1
)
select (select count(*) from scope) as persons, (select count(*) from kept) as written,
       (select count(*) from gone) as deleted
