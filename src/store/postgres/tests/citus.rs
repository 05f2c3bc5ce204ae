//! Every promise again, kept as on Citus, by one server that is taken for one; and that its tables can be spread.

use super::*;

const TAKEN_FOR_CITUS: &str = "CREATE TABLE pg_dist_partition (); \
    CREATE FUNCTION run_command_on_all_nodes(text, OUT result text) LANGUAGE sql AS \
        $$ SELECT pg_database_size(current_database())::text $$";

store_suite!(async {
    match server::database().await {
        Some(url) => {
            client(&url.parse().unwrap()).await.batch_execute(TAKEN_FOR_CITUS).await.unwrap();
            Some((PostgresStore::open(&url.parse().unwrap(), None).await.unwrap(), url))
        }
        None => None,
    }
});

/// Spreads nothing, and refuses what Citus refuses: a table with a unique index that lacks the column.
const SPREAD: &str = "CREATE FUNCTION create_distributed_table(spread text, by_column text, colocate_with text DEFAULT '') \
    RETURNS void LANGUAGE plpgsql AS $$ BEGIN \
        IF EXISTS (SELECT FROM pg_index WHERE indrelid = spread::regclass AND indisunique AND NOT EXISTS ( \
            SELECT FROM pg_attribute WHERE attrelid = indrelid AND attname = by_column AND attnum = ANY (indkey))) \
        THEN RAISE '% cannot be spread by %', spread, by_column; END IF; \
    END $$";

#[tokio::test]
async fn each_table_that_is_spread_has_the_column_in_all_its_unique_indexes() {
    let Some(client) = client_of_tables().await else { return };
    client.batch_execute(SPREAD).await.unwrap();
    client.batch_execute("SELECT create_distributed_table('api_tokens', 'hash')").await.unwrap_err();
    client.batch_execute(include_str!("../../../../deploy/citus.sql")).await.unwrap();
}
