//! `sslmode` decides whether a connection is encrypted, and which certificates it accepts.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use backend::{Local, Postgres, Sharing};
use testkit::{PostgresServer, within};

use crate::support::{lobby, replica};

/// The variable that tells the child process the server's URL.
const URL: &str = "HUBBUB_TEST_POSTGRES_URL";

/// Creates a certificate for 127.0.0.1 and its key.
fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=postgres", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .expect("this test needs openssl in the PATH");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn sslmode_means_what_it_says() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        certificate(folder.path());
        let path = |name: &str| folder.path().join(name);
        let server = PostgresServer::with_tls(&path("cert.pem"), &path("key.pem"));
        let database = server.database();
        let with = |mode: &str| server.url(&database).replace("sslmode=disable", mode);
        let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'hubbub'";
        for (mode, expected) in [
            ("sslmode=disable", "f"),
            ("sslmode=prefer", "t"),
            ("", "t"),
            ("sslmode=require&channel_binding=require", "t"),
        ] {
            let postgres = replica(&with(mode)).await;
            postgres.check().await.unwrap();
            assert_eq!(server.sql(&database, encrypted), expected, "{mode}");
            postgres.close().await;
        }
        // The system does not trust this certificate.
        let verified = with("sslmode=verify-full");
        let refused = Postgres::open(&verified, Arc::new(Local::default()), Sharing::Replicas).await;
        let Err(error) = refused else { panic!("an unknown certificate should be refused") };
        assert!(error.to_string().contains("certificate"), "{error}");
        // The environment says which certificates are trusted, so another process must run with a changed one.
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls::child", "--ignored"])
            .env("SSL_CERT_FILE", path("cert.pem"))
            .env(URL, &verified)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        assert_eq!(server.sql(&database, "SELECT slug FROM rooms"), "lobby");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, with its own environment"]
async fn child() {
    let postgres = replica(&std::env::var(URL).expect("a URL")).await;
    lobby(&postgres).await;
    postgres.close().await;
}
