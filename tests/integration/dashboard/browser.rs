//! A headless browser that loads a page, runs its scripts for five seconds of virtual time and prints the page.

use std::process::Command;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const QUIET: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The page at `url` as it stands after its scripts have run.
pub fn load(url: &str) -> String {
    let profile = tempfile::tempdir().expect("a directory for the browser's profile");
    let run = |name: &str| {
        let mut command = Command::new(name);
        command.args(QUIET).arg(format!("--user-data-dir={}", profile.path().display()));
        command.args(["--window-size=1280,1400", "--virtual-time-budget=5000", "--dump-dom", url]).output().ok()
    };
    let done = NAMES.iter().find_map(|name| run(name)).expect("a browser: install chromium, or run `cargo xtask test`, which does");
    assert!(done.status.success(), "the browser failed: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("a page in UTF-8")
}

/// The text of the element with this id, which must hold no other element.
pub fn text_of(page: &str, id: &str) -> String {
    let (_, from) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("the page has no #{id}"));
    let (_, text) = from.split_once('>').expect("an element");
    text.split('<').next().expect("an element's text").to_owned()
}
