-- All that the lists of one post for one event say about a person: one row per person, households whole, whoever keeps
-- or serves the other members. Who of them stands on which list, and in what order, is decided by micic.lists.rules.
-- {news} is the body of micic/cases/latest_states.sql. Parameters: state, event, post, as_of.
with exposed as materialized (
    select migrant_id, presence, severity_inside, severity_possible,
           case when presence = 'inside' then zone_inside else zone_possible end as zone_id,
           case when presence = 'inside' then location_inside else location_possible end as location_id,
           coalesce(serving_post_id, keeper_post_id) = :post as served_here
      from exposure
     where registering_state = :state and event_id = :event and ended_at is null
),
concerned as materialized (
    select country, whole_country, severity
      from exposure_country
     where registering_state = :state and event_id = :event and ended_at is null
),
-- People without a row of their own: *possible* where all the country is in a coarse zone, else *unknown* where
-- nothing better than the country, or nothing fresh, is known of them there (RULES 2).
elsewhere as materialized (
    select w.migrant_id, case when bool_or(c.whole_country) then 'possible' else 'unknown' end as presence,
           max(c.severity) as severity,
           bool_or(coalesce(w.serving_post_id, w.keeper_post_id) = :post) as served_here
      from concerned c
      join whereabouts w on w.registering_state = :state and w.country = c.country
     where w.from_at <= :as_of and coalesce(w.until_at > :as_of, true)
       and not exists (select 1 from exposed x where x.migrant_id = w.migrant_id)
     group by w.migrant_id
    having bool_or(c.whole_country) or not bool_or(w.firm and w.radius_class < 6)
),
seen as materialized (
    select migrant_id, presence, severity_inside, severity_possible, zone_id, location_id, served_here
      from exposed
    union all
    select migrant_id, presence, null, severity, null, null, served_here
      from elsewhere
),
household_here as materialized (
    select distinct m.household_id
      from seen s
      join migrant m on m.registering_state = :state and m.migrant_id = s.migrant_id
     where s.served_here
),
person as materialized (
    select m.migrant_id, m.household_id, m.reference, m.family_name, m.given_names, m.family_name_original,
           m.given_names_original, m.born_on, m.language, m.lives_apart, m.protected, m.state_of_record,
           m.keeper_post_id, coalesce(s.presence, 'safe_area') as presence, s.severity_inside, s.severity_possible,
           s.zone_id, s.location_id, coalesce(s.served_here, false) as served_here
      from household_here h
      join migrant m on m.registering_state = :state and m.household_id = h.household_id
      left join seen s on s.migrant_id = m.migrant_id
),
subject as (
    select migrant_id from person
),
{news},
need_now as (
    select p.migrant_id, count(*)::int + count(n.closed_at)::int as told,
           json_agg(json_build_array(
                        n.code, c.tier,
                        greatest(0, n.days_left - floor(extract(epoch from :as_of - n.opened_at) / 86400))::int,
                        n.opened_at)
                    order by c.tier, n.days_left, n.code, n.need_id) filter (where n.closed_at is null) as needs
      from person p
      join need n on n.registering_state = :state and n.migrant_id = p.migrant_id
      join need_code c on c.code = n.code
     group by p.migrant_id
),
contact_now_at as (
    select p.migrant_id,
           json_agg(json_build_array(c.contact_point_id, c.channel, encode(c.address, 'hex'), c.preferred,
                                     c.verified_at is not null, c.bounced_at is not null, c.others_read_it)
                    order by c.preferred desc, c.channel, c.contact_point_id) as contacts
      from person p
      join contact_point c on c.registering_state = :state and c.migrant_id = p.migrant_id
     group by p.migrant_id
),
nationality_of as (
    select p.migrant_id, array_agg(n.country::text order by n.country) as nationalities,
           bool_or(n.access_limitation) as access_limitation
      from person p
      join nationality n on n.registering_state = :state and n.migrant_id = p.migrant_id
     group by p.migrant_id
),
document_of as (
    select p.migrant_id,
           json_agg(json_build_array(d.kind, d.expires_on, d.held) order by d.document_id) as documents
      from person p
      join travel_document d on d.registering_state = :state and d.migrant_id = p.migrant_id
     group by p.migrant_id
),
consent_now as (
    select distinct on (p.migrant_id, c.purpose, c.recipient_class) p.migrant_id, c.recipient_class, c.given
      from person p
      join consent c on c.registering_state = :state and c.migrant_id = p.migrant_id
     order by p.migrant_id, c.purpose, c.recipient_class, c.at desc, c.consent_id desc
),
refusal as (
    select migrant_id, array_agg(distinct recipient_class::text) as refused
      from consent_now
     where not given
     group by migrant_id
)
select p.*, h.reference as household_reference,
       coalesce(z.label, a.label) as zone_label, coalesce(z.zone_id is null or z.severity is not null, true) as stated,
       w.source, w.firm, w.observed_at, w.radius_class, w.country, w.lat, w.lon, w.candidates, w.seen_at, st.place,
       n.contact, n.contact_at, n.answered, n.welfare, n.welfare_at, n.welfare_trust, n.movement, n.movement_at,
       n.movement_trust, n.needs_help_since, n.injured, coalesce(n.told, 0) as told,
       coalesce(nn.told, 0) as needs_told, nn.needs, cp.contacts, na.nationalities, na.access_limitation,
       d.documents, r.refused
  from person p
  join household h on h.registering_state = :state and h.household_id = p.household_id
  left join zone z on z.zone_id = p.zone_id
  left join declared_area a on a.registering_state = :state and a.area_id = p.zone_id
  -- The place that the presence rests on; else the surest and latest candidate in force.
  left join lateral (
        select w.location_id, w.source, w.firm, w.observed_at, w.radius_class, w.country,
               st_y(w.position) as lat, st_x(w.position) as lon, count(*) over () as candidates,
               max(w.observed_at) filter (where w.source in ('check_in', 'officer', 'third_party', 'detention'))
                   over () as seen_at
          from whereabouts w
         where w.registering_state = :state and w.migrant_id = p.migrant_id
           and w.from_at <= :as_of and coalesce(w.until_at > :as_of, true)
         order by coalesce(w.location_id = p.location_id, false) desc,
                  exists (select 1 from concerned c where c.country = w.country and p.presence = 'unknown') desc,
                  w.firm desc, w.observed_at desc, w.location_id
         limit 1) w on true
  left join location l on l.registering_state = :state and l.location_id = w.location_id
  left join stay st on st.registering_state = :state and st.stay_id = l.stay_id
  left join news n on n.migrant_id = p.migrant_id
  left join need_now nn on nn.migrant_id = p.migrant_id
  left join contact_now_at cp on cp.migrant_id = p.migrant_id
  left join nationality_of na on na.migrant_id = p.migrant_id
  left join document_of d on d.migrant_id = p.migrant_id
  left join refusal r on r.migrant_id = p.migrant_id
