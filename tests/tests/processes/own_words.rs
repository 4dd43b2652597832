//! What the functions' processes do with a `MESSAGES_DIR` that is wrong.

use std::path::PathBuf;

use tests::stack::{build, target_directory};
use tests::variables;
use tokio::process::Command;

#[tokio::test]
async fn a_wrong_file_stops_the_start_with_its_name_and_the_messages() {
    build(&["reset", "validate", "complete"]).await;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wrong-words");
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("de.ftl"), "reset-when = Eben gerade\n").expect("a file");
    let path = directory.to_str().expect("UTF-8");
    for function in ["reset", "validate", "complete"] {
        let mut command = Command::new(target_directory().join("debug").join(function));
        command.env_clear().envs(variables(&[("MESSAGES_DIR", path)])).kill_on_drop(true);
        let output = command.output().await.expect("a process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{function}: {said}");
        let expected = "environment variable MESSAGES_DIR has a file de.ftl: the message reset-when lacks the variable $when";
        assert!(said.contains(expected), "{function}: {said}");
    }
    std::fs::remove_dir_all(directory).expect("a directory");
}
