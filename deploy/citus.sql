-- Spreads what grows with members and thoughts over the servers of a Citus cluster, each table by the column that it is
-- asked by. Run it once, on the coordinator, when the tables have been made and no instance runs:
--
--   psql -v ON_ERROR_STOP=1 --single-transaction -f deploy/citus.sql postgres://…
--
-- The rest stays on the coordinator: it is little, or is forgotten after a while, or is locked row by row in an order.

-- A thought, what it said before, and the places where it stands.
SELECT create_distributed_table('thoughts', 'id');
SELECT create_distributed_table('revisions', 'thought', colocate_with => 'thoughts');
SELECT create_distributed_table('lists', 'list', colocate_with => 'none');

-- Who is signed in.
SELECT create_distributed_table('sessions', 'hash', colocate_with => 'none');
