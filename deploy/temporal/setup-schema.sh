#!/bin/sh
# Creates Temporal's two databases and brings their schema up to this image's
# version. Running it again changes nothing, and after a new image it upgrades.
#
# SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD are read by temporal-sql-tool.
set -eu

schema=${SCHEMA_DIR:-/etc/temporal/schema/postgresql/v12}
export SQL_PLUGIN=postgres12

for kind in temporal visibility; do
	database=temporal
	if [ "$kind" = visibility ]; then
		database=temporal_visibility
	fi
	temporal-sql-tool --db "$database" create
	temporal-sql-tool --db "$database" setup-schema -v 0.0
	temporal-sql-tool --db "$database" update-schema -d "$schema/$kind/versioned"
done
echo "the schema is up to date"
