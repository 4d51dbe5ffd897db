//! The embedded backend keeps the contract of every port.

use backend::Embedded;
use testkit::Backend;

async fn fixture() -> Backend {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let embedded = Embedded::open(folder.path()).expect("an empty folder can be opened");
    Backend::new(embedded, folder)
}

testkit::room_log_contract!(fixture);
testkit::directory_contract!(fixture);
testkit::accounts_contract!(fixture);
testkit::presence_contract!(fixture);
