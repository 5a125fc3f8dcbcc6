//! What must not stand in a file: paths of a machine, hosts of a registry, unfinished work, tests that are switched off.

/// Directories at the root of a machine. They are spelt without their slashes, or this file would break its own rule.
const MACHINE: &[&str] = &["work", "farm", "root", "home"];
/// Hosts of registries, by their labels: which registry is used is a matter of each machine's configuration.
const HOSTS: &[&[&str]] =
    &[&["static", "crates", "io"], &["index", "crates", "io"], &["registry", "npmjs"], &["files", "pythonhosted"], &["deb", "debian"]];
/// Marks of unfinished work, by their halves.
const UNFINISHED: &[[&str; 2]] = &[["TO", "DO"], ["FIX", "ME"]];
/// Files that a tool writes and that name registries.
const WRITTEN_BY_TOOLS: &[&str] = &["Cargo.lock", "package-lock.json", "LICENSE"];

/// Every line of `text` that holds what must not stand there.
pub fn check(path: &str, text: &str) -> Vec<String> {
    if WRITTEN_BY_TOOLS.iter().any(|name| path.ends_with(name)) {
        return Vec::new();
    }
    let lines = text.lines().enumerate();
    lines.filter_map(|(i, line)| Some(format!("{path}:{}: {}", i + 1, wrong(path, line)?))).collect()
}

fn wrong(path: &str, line: &str) -> Option<String> {
    if let Some(directory) = MACHINE.iter().find(|d| names_directory(line, d)) {
        return Some(format!("a path of one machine (/{directory}): take it from an argument or the environment"));
    }
    if let Some(host) = HOSTS.iter().map(|labels| labels.join(".")).find(|host| line.contains(host)) {
        return Some(format!("a registry's host ({host}): leave it to the machine's configuration"));
    }
    if let Some(mark) = UNFINISHED.iter().map(|halves| halves.concat()).find(|mark| has_word(line, mark)) {
        return Some(format!("{mark}: finish it or open an issue"));
    }
    let ignored = path.ends_with(".rs") && line.trim_start().starts_with("#[ignore");
    ignored.then(|| "a test that does not run: mend it or delete it".to_owned())
}

/// Whether `line` holds `/directory/` at the start of a path.
fn names_directory(line: &str, directory: &str) -> bool {
    let path = format!("/{directory}/");
    let starts_path = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}/*".contains(c));
    line.match_indices(&path).any(|(at, _)| starts_path(at))
}

fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |at: usize| !line[..at].ends_with(letter) && !line[at + word.len()..].starts_with(letter);
    line.match_indices(word).any(|(at, _)| alone(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(line: &str) -> usize {
        check("src/a.rs", line).len()
    }

    #[test]
    fn paths_of_a_machine_are_refused() {
        for directory in MACHINE {
            assert_eq!(verdict(&format!("let path = \"/{directory}/main\";")), 1, "{directory}");
        }
        for line in ["src/work/mod.rs", "$DIR/work/x", "https://example.com/root/x", "a network/workload"] {
            assert_eq!(verdict(line), 0, "{line}");
        }
    }

    #[test]
    fn hosts_of_registries_are_refused() {
        for host in HOSTS {
            assert_eq!(verdict(&format!("https://{}/x", host.join("."))), 1, "{host:?}");
        }
        assert_eq!(verdict("registry+https://github.com/rust-lang/crates.io-index"), 0);
        assert!(check("Cargo.lock", &["index", "crates", "io"].join(".")).is_empty());
    }

    #[test]
    fn unfinished_work_is_refused() {
        for halves in UNFINISHED {
            assert_eq!(verdict(&format!("// {}: later", halves.concat())), 1);
            assert_eq!(verdict(&format!("const {}_LIST: u8 = 1;", halves.concat())), 0);
        }
    }

    #[test]
    fn a_test_that_is_switched_off_is_refused() {
        assert_eq!(verdict("    #[ignore = \"slow\"]"), 1);
        assert!(check("docs/a.md", "#[ignore]").is_empty());
    }

    #[test]
    fn the_line_is_named() {
        assert!(check("a.md", &format!("fine\n\n{}", UNFINISHED[0].concat()))[0].starts_with("a.md:3: "));
    }
}
