//! A Redis that Hubbub cannot use is refused with one line that says what to do.

use backend::{OpenRedisError, Redis};
use chat::ports::Presence;
use protocol::RoomSlug;
use testkit::sample::person;
use testkit::{RedisCluster, RedisServer, within};

use crate::support::connection;

async fn open(url: &str) -> Redis {
    Redis::open(url).await.expect("the Redis can be opened")
}

/// Opens a Redis, and checks that it can be used.
async fn use_it(url: &str) {
    let redis = open(url).await;
    let lobby = RoomSlug::lobby();
    redis
        .enter(&lobby, &person("Ada"), &connection("a"))
        .await
        .expect("people enter");
    redis.check().await.expect("it works");
    redis.close().await;
}

async fn refused(url: &str) -> OpenRedisError {
    match Redis::open(url).await {
        Ok(_) => panic!("{url} should be refused"),
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n') && !line.contains("s3cret"), "{line}");
            error
        }
    }
}

#[tokio::test]
async fn an_invalid_url_is_refused() {
    for url in [
        "",
        "localhost",
        "http://s3cret@localhost",
        "redis://:s3cret@host:port",
    ] {
        assert!(matches!(refused(url).await, OpenRedisError::Url { .. }), "{url}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_refused() {
    within(async {
        let mut server = RedisServer::start();
        server.kill();
        let line = refused(&server.url()).await.to_string();
        assert!(
            line.starts_with(&format!("cannot reach Redis at {}: ", server.address())),
            "{line}"
        );
        let stopped = RedisServer::start();
        stopped.stop();
        let error = refused(&stopped.url()).await;
        assert!(matches!(error, OpenRedisError::Unreachable { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_missing_or_wrong_password_is_refused() {
    within(async {
        let server = RedisServer::with(&["--requirepass", "right"]);
        let at = server.address();
        let error = refused(&format!("redis://{at}")).await;
        assert!(matches!(error, OpenRedisError::PasswordMissing { .. }), "{error}");
        for user in ["", "me"] {
            let error = refused(&format!("redis://{user}:s3cret@{at}")).await;
            assert!(matches!(error, OpenRedisError::PasswordWrong { .. }), "{error}");
        }
        use_it(&format!("redis://:right@{at}")).await;
    })
    .await;
}

#[tokio::test]
async fn a_read_only_replica_is_refused() {
    within(async {
        let primary = RedisServer::start();
        let port = primary.address().rsplit_once(':').unwrap().1.to_owned();
        let server = RedisServer::with(&["--replicaof", &format!("127.0.0.1 {port}")]);
        let error = refused(&server.url()).await;
        assert!(matches!(error, OpenRedisError::ReadOnly { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_server_without_memory_is_refused() {
    within(async {
        let server = RedisServer::with(&["--maxmemory", "1"]);
        let error = refused(&server.url()).await;
        assert!(matches!(error, OpenRedisError::Full { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_user_without_rights_is_refused() {
    within(async {
        let server = RedisServer::start();
        server.cli(&[
            "acl", "setuser", "guest", "on", ">s3cret", "~*", "+info", "+hello", "+client",
        ]);
        let error = refused(&format!("redis://guest:s3cret@{}", server.address())).await;
        assert!(matches!(error, OpenRedisError::Refused { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn missing_rights_are_named() {
    within(async {
        let server = RedisServer::start();
        let user = |name: &str, rules: &[&str]| {
            let base = ["acl", "setuser", name, "on", ">s3cret", "+@all"];
            server.cli(&[&base, rules].concat());
            format!("redis://{name}:s3cret@{}", server.address())
        };
        for (name, rules, missing) in [
            (
                "deaf",
                &["~*", "resetchannels"][..],
                "SETUSER <user> &hubbub:* +spublish",
            ),
            ("elsewhere", &["~other:*", "&*"], "SETUSER <user> ~hubbub:* "),
            (
                "short",
                &["~*", "&*", "-zadd", "-ssubscribe"],
                "+zadd +ssubscribe",
            ),
        ] {
            let error = refused(&user(name, rules)).await;
            assert!(matches!(error, OpenRedisError::Forbidden { .. }), "{error}");
            assert!(error.to_string().contains(missing), "{error}");
        }
        assert_eq!(server.cli(&["dbsize"]), "0", "nothing was claimed");
        let enough = ["~hubbub:*", "&hubbub:*"];
        use_it(&user("enough", &enough)).await;
    })
    .await;
}

#[tokio::test]
async fn foreign_keys_are_refused_and_not_touched() {
    within(async {
        let server = RedisServer::start();
        server.cli(&["set", "other", "1"]);
        server.cli(&["set", "hubbub:recipes", "1"]);
        let line = refused(&server.url()).await.to_string();
        assert!(line.contains("hubbub:recipes"), "{line}");
        assert_eq!(server.cli(&["dbsize"]), "2");
        // Another database of the same server has no foreign keys.
        use_it(&format!("{}/3", server.url())).await;
        assert_eq!(server.cli(&["-n", "3", "get", "hubbub:format"]), "2");
        assert_eq!(server.cli(&["dbsize"]), "2");
    })
    .await;
}

#[tokio::test]
async fn a_newer_format_is_refused_and_not_touched() {
    within(async {
        let server = RedisServer::start();
        server.cli(&["set", "hubbub:format", "99"]);
        let sentence = format!(
            "the data in Redis at {} has format 99, and this hubbub knows format 2; run the newer hubbub that wrote it",
            server.address()
        );
        assert_eq!(refused(&server.url()).await.to_string(), sentence);
        assert_eq!(server.cli(&["get", "hubbub:format"]), "99");
        assert_eq!(server.cli(&["dbsize"]), "1");
    })
    .await;
}

#[tokio::test]
async fn single_servers_and_clusters_are_told_apart() {
    within(async {
        let server = RedisServer::start();
        let error = refused(&format!("redis-cluster://{}", server.address())).await;
        assert!(matches!(error, OpenRedisError::NoCluster { .. }), "{error}");
        let alone = RedisServer::with(&["--cluster-enabled", "yes"]);
        let error = refused(&alone.url()).await;
        assert!(matches!(error, OpenRedisError::Incomplete { .. }), "{error}");
        let cluster = RedisCluster::start();
        use_it(&cluster.servers[1].url()).await;
        let error = refused(&format!("{}/2", cluster.servers[1].url())).await;
        assert!(!error.to_string().is_empty());
        cluster.servers[2].cli(&["set", "hubbub:recipes", "1"]);
    })
    .await;
}

#[tokio::test]
async fn replicas_that_start_at_once_accept_each_others_keys() {
    within(async {
        let server = RedisServer::start();
        let all = (0..8).map(|_| async {
            use_it(&server.url()).await;
        });
        futures::future::join_all(all).await;
    })
    .await;
}

#[tokio::test]
async fn a_log_of_an_earlier_version_is_left_alone() {
    within(async {
        let server = RedisServer::start();
        for command in [
            &["set", "hubbub:format", "1"][..],
            &["zadd", "hubbub:rooms", "5", "lobby"],
            &["hset", "hubbub:{lobby}:room", "title", "Lobby", "head", "1"],
            &["xadd", "hubbub:{lobby}:log", "1-0", "at", "5"],
        ] {
            server.cli(command);
        }
        use_it(&server.url()).await;
        use_it(&server.url()).await;
        assert_eq!(server.cli(&["zcard", "hubbub:rooms"]), "1");
        assert_eq!(server.cli(&["hget", "hubbub:{lobby}:room", "head"]), "1");
        assert_eq!(server.cli(&["xlen", "hubbub:{lobby}:log"]), "1");
    })
    .await;
}
