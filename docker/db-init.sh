#!/bin/sh
# Runs once, when the database's volume is empty: the roles of the registry with the passwords of this deployment,
# and the database micic with its extensions. The migrations follow as micic_owner (service "migrate").
set -eu

psql -v ON_ERROR_STOP=1 -X -q -f /micic/cluster_roles.sql
for role in owner app worker exercise public readonly backup; do
  variable=MICIC_$(echo "$role" | tr '[:lower:]' '[:upper:]')_PASSWORD
  eval "password=\${$variable:?}"
  psql -v ON_ERROR_STOP=1 -X -q -v role="micic_$role" -v password="$password" <<'SQL'
alter role :"role" password :'password';
SQL
done
psql -v ON_ERROR_STOP=1 -X -q -c "create database micic owner micic_owner template template0 encoding 'UTF8'"
psql -v ON_ERROR_STOP=1 -X -q -d micic -f /micic/cluster_database.sql
