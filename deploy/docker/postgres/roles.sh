#!/bin/sh
# The three roles of docs/how-to/postgres.md and their database; runs once, in an empty volume.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres \
  -v owner="$OWNER_PASSWORD" -v app="$APP_PASSWORD" -v writer="$WRITER_PASSWORD" <<'SQL'
create role esclusa_owner login password :'owner';
create role esclusa_app login password :'app';
create role esclusa_writer login password :'writer';
create database esclusa owner esclusa_owner;
SQL
