-- The post that serves a place: the smallest jurisdiction that holds it, else the one for the whole country.
select j.post_id
  from jurisdiction j
 where j.registering_state = :state and j.country = :country
   and (j.area is null or st_intersects(j.area, st_setsrid(st_makepoint(:lon, :lat), 4326)))
 order by st_area(j.area) nulls last, j.jurisdiction_id
 limit 1
