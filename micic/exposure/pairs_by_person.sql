    -- From the persons: a cell lies in 29 quadtree cells, one a level; each is looked up by equality, and then the
    -- zone it is of: not all the zones in force.
    select z.event_id, w.migrant_id, z.zone_id, w.location_id, z.severity,
           c.radius_class = 0 as is_inside, greatest(z.valid_from, w.from_at) as began_at, w.cell, w.country,
           w.keeper_post_id, w.serving_post_id
      from whereabouts w
     cross join lateral (select (1::bigint << (2 * step)) - 1 as mask from generate_series(0, 28) as step) l
     cross join lateral unnest(case when w.radius_class <= 4 and w.firm then array[0, w.radius_class]
                                    else array[w.radius_class] end) as k(cover_class)
     cross join lateral (
            select * from cover c
             where c.radius_class = k.cover_class
               and c.cell_from = (w.cell & ~l.mask) and c.cell_to = (w.cell | l.mask)
            offset 0) c
     cross join lateral (
            select * from zone_in_force z
             where z.zone_id = c.zone_id
            offset 0) z
     where w.registering_state = :state and w.migrant_id = any(:migrants)
       and w.cell is not null
       and w.from_at <= :at and coalesce(w.until_at > :at, true)
       and (c.radius_class > 0 or (z.firm and coalesce(w.observed_at >= z.stale_before, true)))
       and (c.piece is null or st_dwithin(c.piece, w.position, 1e-9))
