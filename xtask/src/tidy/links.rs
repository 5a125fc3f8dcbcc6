//! Links of the documentation that lead nowhere, and tests that it cites and that are not there.

use std::path::{Component, Path, PathBuf};

/// Every relative link of the Markdown file at `path` whose target does not exist, and every one that cites a test by its
/// name, as in ``[`a_test`](tests/file.rs)``, whose target does not hold it. `read` gives the text of what is at a path from
/// the root: empty for a directory, none when nothing is there.
pub fn check(path: &str, text: &str, read: &dyn Fn(&Path) -> Option<String>) -> Vec<String> {
    if !path.ends_with(".md") {
        return Vec::new();
    }
    let directory = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    let mut in_code = false;
    for (i, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        let wrong = links(line).filter_map(|(label, target)| wrong(label, target, &read(&resolve(directory, target))));
        found.extend(wrong.map(|what| format!("{path}:{}: {what}", i + 1)));
    }
    found
}

fn wrong(label: &str, target: &str, source: &Option<String>) -> Option<String> {
    let Some(source) = source else {
        return Some(format!("the link to {target} leads nowhere"));
    };
    let test = label.strip_prefix('`')?.strip_suffix('`')?;
    let is_name = test.contains('_') && test.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let missing = is_name && target.ends_with(".rs") && !source.contains(&format!("fn {test}("));
    missing.then(|| format!("{target} has no function {test}"))
}

/// Label and target of each relative `[label](target)`.
fn links(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = line.match_indices("](").map(|(at, _)| at);
    let link = move |at: usize| {
        let label = line[..at].rsplit('[').next()?;
        let target = line[at + 2..].split([')', ' ']).next()?;
        Some((label, target))
    };
    ends.filter_map(link).filter(|(_, target)| is_relative(target))
}

fn is_relative(target: &str) -> bool {
    !target.is_empty() && !target.starts_with('#') && !target.contains("://") && !target.starts_with("mailto:")
}

/// The path from the root that `target` means in a file of `directory`.
fn resolve(directory: &Path, target: &str) -> PathBuf {
    let target = target.split('#').next().unwrap_or_default();
    let mut resolved = PathBuf::new();
    for part in directory.join(target).components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Vec<String> {
        let known = [("docs/here.md", ""), ("README.md", ""), ("src", ""), ("src/a.rs", "#[test]\nfn it_holds() {}")];
        check("docs/page.md", text, &|p| known.iter().find(|k| p == Path::new(k.0)).map(|k| k.1.to_owned()))
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text =
            "[a](here.md#part) [b](../README.md) [c](../src) [d](https://example.com/x.md) [e](#part) `[f]`(x)\n```\n[g](gone.md)\n```\n";
        assert_eq!(verdict(text), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_are_refused() {
        assert_eq!(verdict("fine\n[a](here.md), [b](gone.md)"), ["docs/page.md:2: the link to gone.md leads nowhere"]);
        assert_eq!(verdict("![a](../gone.svg \"title\")").len(), 1);
    }

    #[test]
    fn a_cited_test_has_to_be_there() {
        assert_eq!(verdict("[`it_holds`](../src/a.rs) [`src/a.rs`](../src/a.rs) [the_code](../src/a.rs)"), Vec::<String>::new());
        assert_eq!(verdict("[`it_held`](../src/a.rs)"), ["docs/page.md:1: ../src/a.rs has no function it_held"]);
    }

    #[test]
    fn only_documentation_is_read() {
        assert!(check("src/a.rs", "[a](gone.md)", &|_| None).is_empty());
    }
}
