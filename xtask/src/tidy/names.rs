//! File names that say nothing: what stands in such a file has a name of its own, or belongs to its one caller.

use std::path::Path;

const REFUSED: &[&str] = &["common", "helper", "helpers", "misc", "shared", "util", "utils"];

/// What is wrong with the name of the file at `path`, or of a directory that it is in.
pub fn check(path: &str) -> Option<String> {
    let whole = Path::new(path);
    let stems = whole.ancestors().filter_map(|p| p.file_stem()?.to_str());
    let refused = stems.into_iter().find(|stem| REFUSED.contains(stem))?;
    Some(format!("{path}: `{refused}` says nothing about what is in it: name the one idea"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_refused() {
        for path in ["src/utils.rs", "crates/x/src/helpers/mod.rs", "edge/common.ts", "misc.py"] {
            assert!(check(path).is_some(), "{path}");
        }
    }

    #[test]
    fn names_that_say_something_pass() {
        for path in ["src/main.rs", "src/http/rates.rs", "docs/uncommon.md"] {
            assert_eq!(check(path), None, "{path}");
        }
    }
}
