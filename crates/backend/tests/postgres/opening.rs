//! A database that cannot be used is refused with one line that says what to do, and stays as it was.

use std::sync::Arc;

use backend::{Local, OpenPostgresError as Error, Postgres, Sharing};
use testkit::{PostgresServer, within};

use crate::support::{lobby, replica};

/// The line with which a URL is refused. It never contains the password.
async fn refused(url: &str) -> Error {
    match Postgres::open(url, Arc::new(Local::default()), Sharing::Replicas).await {
        Ok(_) => panic!("it should be refused"),
        Err(error) => {
            let line = error.to_string();
            assert!(
                !line.contains('\n') && !line.contains("p@ss") && !line.contains("%40"),
                "{line}"
            );
            error
        }
    }
}

/// Checks that a refused database has the same tables and rows as before.
async fn refused_unchanged(server: &PostgresServer, database: &str, url: &str) -> Error {
    let state = || {
        server.sql(
            database,
            "SELECT table_name, (xpath('//c/text()', query_to_xml('SELECT count(*) AS c FROM ' || table_name, \
             false, true, '')))[1] FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
        )
    };
    let before = state();
    let error = refused(url).await;
    assert_eq!(state(), before, "{error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_cannot_be_reached_or_used_are_named() {
    within(async {
        let server = PostgresServer::shared();
        let (database, address) = (server.database(), server.address());
        let url = server.url(&database);
        let error = refused(&url.replace(&address, "127.0.0.1:1")).await;
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        assert!(
            error.to_string().contains("127.0.0.1:1: Connection refused"),
            "{error}"
        );
        let error = refused(&url.replace("a%20secret", "another")).await;
        assert!(matches!(error, Error::Password { .. }), "{error}");
        let without = format!("postgres://hubbub@{address}/{database}");
        let error = refused(&without).await;
        assert!(matches!(error, Error::Password { .. }), "{error}");
        let error = refused(&url.replace(&database, "nowhere")).await;
        assert!(matches!(error, Error::NoDatabase { .. }), "{error}");
        assert!(error.to_string().contains("\"nowhere\""), "{error}");
        let error = refused(&format!("{url}&sslmode=require")).await;
        assert!(
            matches!(error, Error::Unreachable { .. } | Error::Refused { .. }),
            "{error}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_are_not_hubbubs_stay_as_they_are() {
    within(async {
        let server = PostgresServer::shared();
        let foreign = server.database();
        server.sql(
            &foreign,
            "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)",
        );
        let error = refused_unchanged(&server, &foreign, &server.url(&foreign)).await;
        assert!(
            matches!(&error, Error::Foreign { found, .. } if found == "orders"),
            "{error}"
        );

        let newer = server.database();
        let first = replica(&server.url(&newer)).await;
        lobby(&first).await;
        first.close().await;
        server.sql(&newer, "UPDATE hubbub SET version = 999");
        let error = refused_unchanged(&server, &newer, &server.url(&newer)).await;
        assert!(matches!(error, Error::Newer { found: 999, .. }), "{error}");
        server.sql(&newer, "UPDATE hubbub SET version = -1");
        let error = refused_unchanged(&server, &newer, &server.url(&newer)).await;
        assert!(matches!(error, Error::Version { found: -1, .. }), "{error}");
        server.sql(&newer, "UPDATE hubbub SET version = 1");
        replica(&server.url(&newer)).await.close().await;
        server.sql(&newer, "DROP TABLE events");
        let error = refused_unchanged(&server, &newer, &server.url(&newer)).await;
        assert!(
            matches!(&error, Error::Lost { table, .. } if table == "events"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_lack_something_are_refused() {
    within(async {
        let server = PostgresServer::shared();
        let latin = server.database();
        server.sql("postgres", &format!("DROP DATABASE {latin}"));
        server.sql(
            "postgres",
            &format!("CREATE DATABASE {latin} OWNER hubbub ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"),
        );
        let error = refused_unchanged(&server, &latin, &server.url(&latin)).await;
        assert!(matches!(&error, Error::Encoding { found, .. } if found == "LATIN1"), "{error}");

        let read_only = server.database();
        server.sql("postgres", &format!("ALTER DATABASE {read_only} SET default_transaction_read_only = on"));
        let error = refused_unchanged(&server, &read_only, &server.url(&read_only)).await;
        assert!(matches!(error, Error::ReadOnly { .. }), "{error}");

        let others = server.database();
        server.sql("postgres", &format!("ALTER DATABASE {others} OWNER TO postgres"));
        let error = refused_unchanged(&server, &others, &server.url(&others)).await;
        assert!(matches!(error, Error::Forbidden { .. }), "{error}");

        let denied = server.database();
        replica(&server.url(&denied)).await.close().await;
        server.sql(&denied, "ALTER TABLE events OWNER TO postgres; GRANT SELECT, INSERT ON events TO hubbub");
        let error = refused_unchanged(&server, &denied, &server.url(&denied)).await;
        assert!(matches!(&error, Error::Forbidden { missing, .. } if missing.contains("events")), "{error}");

        let old = server.database();
        server.sql(
            &old,
            "CREATE SCHEMA old; GRANT USAGE ON SCHEMA old TO hubbub; CREATE FUNCTION old.current_setting(text) RETURNS \
             text LANGUAGE sql AS $$ SELECT CASE $1 WHEN 'server_version_num' THEN '140011' WHEN 'server_version' THEN \
             '14.11' ELSE pg_catalog.current_setting($1) END $$",
        );
        let url = format!("{}&options=-c%20search_path%3Dold,pg_catalog,public", server.url(&old));
        let error = refused_unchanged(&server, &old, &url).await;
        assert!(matches!(&error, Error::Old { found, .. } if found == "14.11"), "{error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_and_a_schema_of_its_own_do_no_harm() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        server.sql(
            &database,
            "CREATE TABLE orders (id int); CREATE SCHEMA chat AUTHORIZATION hubbub",
        );
        let url = format!("{}&options=-c%20search_path%3Dchat", server.url(&database));
        let first = replica(&url).await;
        lobby(&first).await;
        first.close().await;
        assert_eq!(server.sql(&database, "SELECT slug FROM chat.rooms"), "lobby");
    })
    .await;
}
