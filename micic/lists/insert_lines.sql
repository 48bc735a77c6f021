-- Lines in bulk, by arrays in binary form (psycopg's %(...)b): row-level security does not allow COPY.
insert into list_line (registering_state, list_id, line_no, migrant_id, household_id, household_rank, tier, presence,
                       severity, change, fingerprint, salt, line_hash, payload)
select %(state)s, %(list)s, *
  from unnest(%(line_no)b::int[], %(migrant_id)b::uuid[], %(household_id)b::uuid[], %(household_rank)b::int[],
              %(tier)b::smallint[], %(presence)b::text[], %(severity)b::smallint[], %(change)b::text[],
              %(fingerprint)b::bytea[], %(salt)b::bytea[], %(line_hash)b::bytea[], %(payload)b::bytea[])
