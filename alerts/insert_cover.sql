-- The cover of a zone in one statement, from arrays of equal length.
insert into zone_cell (zone_id, radius_class, cell_from, cell_to, piece)
select :zone_id, c.radius_class, c.cell_from, c.cell_to, st_setsrid(st_geomfromwkb(c.piece), 4326)
  from unnest(cast(:radius_classes as smallint[]), cast(:cells_from as bigint[]), cast(:cells_to as bigint[]),
              cast(:pieces as bytea[])) as c(radius_class, cell_from, cell_to, piece)
