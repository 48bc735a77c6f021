-- Persons for whom a candidate began, ended or changed its firmness since the last tick.
select migrant_id from whereabouts
 where registering_state = :state and from_at > :since and from_at <= :now
union
select migrant_id from whereabouts
 where registering_state = :state and until_at > :since and until_at <= :now
