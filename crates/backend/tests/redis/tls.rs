//! `rediss://` connects only to a Redis whose certificate the system trusts.

use std::path::Path;
use std::process::Command;

use backend::{OpenRedisError, Redis};
use chat::ports::Presence;
use protocol::RoomSlug;
use testkit::sample::person;
use testkit::{RedisServer, within};

use crate::support::connection;

/// The variable that tells the child process the server's URL.
const URL: &str = "HUBBUB_TEST_REDISS_URL";

/// Creates a certificate for 127.0.0.1 and its key.
fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .expect("this test needs openssl in the PATH");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_connects_to_trusted_servers_only() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        certificate(folder.path());
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (server, port) = RedisServer::with_tls(&path("cert.pem"), &path("key.pem"));
        let url = format!("rediss://127.0.0.1:{port}");
        let Err(error) = Redis::open(&url).await else {
            panic!("an unknown certificate should be refused");
        };
        assert!(matches!(error, OpenRedisError::Unreachable { .. }), "{error}");
        // The environment says which certificates are trusted, so another process must run with a changed one.
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls::child", "--ignored"])
            .env("SSL_CERT_FILE", path("cert.pem"))
            .env(URL, &url)
            .output()
            .unwrap();
        assert!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stdout)
        );
        assert_eq!(server.cli(&["hlen", "hubbub:{lobby}:people"]), "1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, with its own environment"]
async fn child() {
    let redis = Redis::open(&std::env::var(URL).expect("a URL")).await.unwrap();
    let lobby = RoomSlug::lobby();
    redis
        .enter(&lobby, &person("Ada"), &connection("a"))
        .await
        .unwrap();
    // Not closed: the person stays for a while.
}
