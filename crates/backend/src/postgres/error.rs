//! Why a PostgreSQL cannot be used, or did not answer.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use chat::StoreError;
use tokio_postgres::error::{DbError, SqlState};

/// Why a PostgreSQL cannot be used: one line for the operator, including the cause, and never the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenPostgresError {
    /// Not a valid PostgreSQL URL.
    #[error(
        "the database URL {what}; expected postgres://user:password@host:5432/database, with several hosts as \
         host:port,host:port and with ?sslmode=disable, prefer, require or verify-full"
    )]
    Url {
        /// What is wrong with the URL. Does not quote it, because it may contain a password.
        what: &'static str,
    },
    /// The server does not answer, or not in time.
    #[error("cannot reach PostgreSQL at {server}: {cause}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// The error of the system or of PostgreSQL.
        cause: String,
    },
    /// PostgreSQL does not accept the user or password in the URL, or requires one.
    #[error("PostgreSQL at {server} does not accept the user or password in the URL: {cause}")]
    Password {
        /// Host and port.
        server: String,
        /// PostgreSQL's error.
        cause: String,
    },
    /// The database does not exist.
    #[error(
        "PostgreSQL at {server} has no such database; create it: createdb --encoding=UTF8 --owner=<user> <name> ({cause})"
    )]
    NoDatabase {
        /// Host and port.
        server: String,
        /// PostgreSQL's error, which names the database.
        cause: String,
    },
    /// The server is too old.
    #[error("PostgreSQL at {server} is version {found}; hubbub needs {OLDEST} or newer")]
    Old {
        /// Host and port.
        server: String,
        /// The server's version.
        found: String,
    },
    /// The server is a standby, or refuses writes.
    #[error(
        "PostgreSQL at {server} is read-only, as a standby is; use the URL of the primary, or name all hosts in it"
    )]
    ReadOnly {
        /// Host and port.
        server: String,
    },
    /// The database cannot hold every character.
    #[error(
        "the database at {server} has the encoding {found}; create one with UTF8: createdb --encoding=UTF8 --template=template0 <name>"
    )]
    Encoding {
        /// Host and port.
        server: String,
        /// The database's encoding.
        found: String,
    },
    /// The user in the URL lacks rights that Hubbub needs.
    #[error(
        "PostgreSQL at {server} denies the user in the URL rights that hubbub needs: {missing}; make the user the database's owner"
    )]
    Forbidden {
        /// Host and port.
        server: String,
        /// What is missing.
        missing: String,
    },
    /// Other software has tables in the database. Nothing was changed.
    #[error("the database at {server} is not empty and not hubbub's: it has {found}; use an empty database")]
    Foreign {
        /// Host and port.
        server: String,
        /// A table or another object in it.
        found: String,
    },
    /// A newer Hubbub wrote the database. Nothing was changed.
    #[error(
        "the database at {server} has version {found}, and this hubbub knows versions up to {known}; run the newer hubbub that wrote it"
    )]
    Newer {
        /// Host and port.
        server: String,
        /// Its version.
        found: i32,
        /// The latest version that this build knows.
        known: i32,
    },
    /// The version makes no sense. Nothing was changed.
    #[error("the database at {server} has version {found}, which no hubbub writes; restore it from a backup")]
    Version {
        /// Host and port.
        server: String,
        /// Its version.
        found: i32,
    },
    /// `hubbub copy` was interrupted.
    #[error(
        "the database at {server} holds an incomplete copy; run hubbub copy again, until it says that all is equal"
    )]
    IncompleteCopy {
        /// Host and port.
        server: String,
    },
    /// A table is missing. Nothing was changed.
    #[error("the database at {server} has lost its table {table}; restore it from a backup")]
    Lost {
        /// Host and port.
        server: String,
        /// The table.
        table: String,
    },
    /// Another process uses the database, and the two do not know of each other.
    #[error(
        "the database at {server} is in use by another hubbub; stop it, or set HUBBUB_REDIS_URL for both, so that they \
         can work together"
    )]
    InUse {
        /// Host and port.
        server: String,
    },
    /// PostgreSQL refuses a statement that Hubbub needs.
    #[error("PostgreSQL at {server} refuses what hubbub needs: {cause}")]
    Refused {
        /// Host and port.
        server: String,
        /// PostgreSQL's error.
        cause: String,
    },
}

/// The oldest PostgreSQL that Hubbub works with.
pub const OLDEST: i32 = 15;

impl OpenPostgresError {
    /// Sorts an error of a server by what the operator can do about it.
    pub fn of(server: &str, fault: &Fault) -> Self {
        let (server, cause) = (server.to_owned(), fault.to_string());
        let Fault::Refused(error) = fault else {
            return Self::Unreachable { server, cause };
        };
        match error.code.as_str() {
            "28P01" | "28000" => Self::Password { server, cause },
            // The library's error if the URL has no password and the server asks for one.
            "XX000" if error.message == "password missing" => Self::Password { server, cause },
            "3D000" => Self::NoDatabase { server, cause },
            "25006" => Self::ReadOnly { server },
            "42501" => Self::Forbidden {
                server,
                missing: error.message.clone(),
            },
            // Starting up, shutting down, or no connection left.
            "57P01" | "57P02" | "57P03" | "53300" => Self::Unreachable { server, cause },
            _ => Self::Refused { server, cause },
        }
    }
}

/// An error of PostgreSQL. Its details are left out, because they can contain people's text.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
pub struct Refusal {
    /// The SQLSTATE.
    pub code: String,
    message: String,
}

impl Refusal {
    /// The server takes no writes.
    pub fn read_only() -> Self {
        Self {
            code: SqlState::READ_ONLY_SQL_TRANSACTION.code().to_owned(),
            message: "the server is read-only".to_owned(),
        }
    }

    /// The library refuses what the server sent, or what it was to send.
    pub fn unreadable(message: String) -> Self {
        Self {
            code: SqlState::INTERNAL_ERROR.code().to_owned(),
            message,
        }
    }

    /// True if the server takes no writes.
    pub fn is_read_only(&self) -> bool {
        self.code == SqlState::READ_ONLY_SQL_TRANSACTION.code()
    }
}

/// Why a statement failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// The connection is lost, or the server can no longer write. Whether the statement was carried out is unknown.
    #[error("{0}")]
    Lost(Arc<str>),
    /// No answer in time. Whether the statement was carried out is unknown.
    #[error("no answer in time")]
    Late,
    /// PostgreSQL refused the statement and changed nothing.
    #[error(transparent)]
    Refused(Refusal),
}

impl Fault {
    /// A connection that is lost for this reason.
    pub fn lost(cause: impl Into<Arc<str>>) -> Self {
        Self::Lost(cause.into())
    }

    /// True if PostgreSQL's disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == SqlState::DISK_FULL.code())
    }

    /// True if PostgreSQL gave up waiting for a lock.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == SqlState::LOCK_NOT_AVAILABLE.code())
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            // The server ends, restarts, or has become a standby.
            Some(refused) if ends_the_connection(refused) => Self::lost(refused.message()),
            Some(refused) => Self::Refused(Refusal {
                code: refused.code().code().to_owned(),
                message: refused.message().to_owned(),
            }),
            None => {
                // The deepest cause says most, such as "Connection refused".
                let (mut cause, mut broken) = (error.source(), error.is_closed());
                while let Some(this) = cause {
                    broken |= this.is::<io::Error>();
                    match this.source() {
                        Some(deeper) => cause = Some(deeper),
                        None => break,
                    }
                }
                let message = cause.map_or_else(|| error.to_string(), ToString::to_string);
                if broken {
                    Self::lost(message)
                } else {
                    Self::Refused(Refusal::unreadable(message))
                }
            }
        }
    }
}

fn ends_the_connection(error: &DbError) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::IDLE_SESSION_TIMEOUT,
    ]
    .contains(error.code())
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self::failed(Unanswered(fault))
    }
}

/// The cause of a [`StoreError::Failed`].
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL: {0}")]
struct Unanswered(Fault);

/// The backend was closed.
#[derive(Debug, thiserror::Error)]
#[error("the connections to PostgreSQL are closed")]
pub struct Closed;
