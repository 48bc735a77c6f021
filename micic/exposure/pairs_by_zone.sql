    -- From the zones: every cell of a cover is one range of the index on (State, radius class, cell). Each step is
    -- fenced (offset 0): the planner takes a range for 50 times what it holds, and would read whole tables instead.
    select z.event_id, w.migrant_id, z.zone_id, w.location_id, z.severity,
           c.radius_class = 0 as is_inside, greatest(z.valid_from, w.from_at) as began_at, w.cell, w.country,
           w.keeper_post_id, w.serving_post_id
      from zone_in_force z
     cross join lateral (
            select * from cover c
             where c.zone_id = z.zone_id and (c.radius_class > 0 or z.firm)
            offset 0) c
     cross join lateral unnest(case when c.radius_class = 0 then array[1, 2, 3, 4] else array[c.radius_class] end)
                as k(candidate_class)
     cross join lateral (
            select * from whereabouts w
             where w.registering_state = :state and w.radius_class = k.candidate_class
               and w.cell between c.cell_from and c.cell_to
            offset 0) w
     where w.from_at <= :at and coalesce(w.until_at > :at, true)
       and (c.radius_class > 0 or (w.firm and coalesce(w.observed_at >= z.stale_before, true)))
       and (cast(:migrants as uuid[]) is null or w.migrant_id = any(:migrants))
       and (c.piece is null or st_dwithin(c.piece, w.position, 1e-9))
