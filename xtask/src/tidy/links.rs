//! Links of the documentation that lead nowhere.

use std::path::{Component, Path, PathBuf};

/// Every relative link of the Markdown file at `path` whose target does not exist.
pub fn check(path: &str, text: &str, exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
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
        let targets = targets(line).filter(|t| is_relative(t));
        let dead = targets.filter(|target| !exists(&resolve(directory, target)));
        found.extend(dead.map(|target| format!("{path}:{}: the link to {target} leads nowhere", i + 1)));
    }
    found
}

/// What stands in the round brackets of each `[..](..)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
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
        let known = ["docs/here.md", "README.md", "src"];
        check("docs/page.md", text, &|p| known.iter().any(|k| p == Path::new(k)))
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
    fn only_documentation_is_read() {
        assert!(check("src/a.rs", "[a](gone.md)", &|_| false).is_empty());
    }
}
