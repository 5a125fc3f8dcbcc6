//! The walls between the rooms: which package may link which. `cargo tree` says what is linked, with the features that the
//! package has when it is built by itself.

use std::collections::BTreeSet;

use crate::step::{cargo, output};
use crate::workspace::Workspace;

/// What a package may link.
struct Wall {
    package: &'static str,
    /// Packages of this workspace that it may link, itself left out.
    own: &'static [&'static str],
    /// Packages from outside that it must not link, nor any whose name goes on with `-`.
    never: &'static [&'static str],
}

const RUNTIME: &[&str] = &["tokio", "axum", "hyper", "polars"];

const WALLS: &[Wall] = &[
    Wall { package: "tidegate-wire", own: &[], never: RUNTIME },
    Wall { package: "tidegate-planner", own: &["tidegate-wire"], never: &["tokio", "axum", "hyper", "polars", "tracing", "rayon"] },
    Wall { package: "tidegate-token-bucket", own: &[], never: RUNTIME },
    Wall { package: "tidegate-edge-node", own: &["tidegate-token-bucket", "tidegate-wire"], never: RUNTIME },
    Wall { package: "tidegate-trace", own: &[], never: RUNTIME },
    Wall { package: "tidegate-registry", own: &["tidegate-planner", "tidegate-wire"], never: RUNTIME },
    Wall {
        package: "tidegate",
        own: &[
            "tidegate-planner",
            "tidegate-wire",
            "tidegate-journal",
            "tidegate-registry",
            "tidegate-edge-node",
            "tidegate-token-bucket",
            "tidegate-trace",
        ],
        never: &["polars"],
    },
    Wall {
        package: "tidegate-replay",
        own: &["tidegate-planner", "tidegate-wire", "tidegate-registry", "tidegate-edge-node", "tidegate-token-bucket", "tidegate-trace"],
        never: RUNTIME,
    },
    Wall {
        package: "tidegate-train",
        own: &["tidegate-planner", "tidegate-wire", "tidegate-journal", "tidegate-registry", "tidegate-trace"],
        never: &["axum"],
    },
    Wall { package: "tidegate-journal", own: &["tidegate-wire"], never: RUNTIME },
    Wall { package: "xtask", own: &[], never: RUNTIME },
];

/// Packages that link nothing at all.
const ALONE: &[&str] = &["tidegate-token-bucket"];

/// Every breach of a wall, and every package of the workspace that has none.
///
/// # Errors
/// When cargo cannot show a package's dependencies.
pub fn findings(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let members = workspace.member_names();
    let mut found = Vec::new();
    for name in &members {
        let Some(wall) = WALLS.iter().find(|w| w.package == *name) else {
            found.push(format!("{name} has no wall: say in {} what it may link", file!()));
            continue;
        };
        let args = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}", "--package", name];
        found.extend(breaches(wall, &members, &output(cargo().args(args))?));
    }
    Ok(found)
}

/// What `tree`, one package a line, holds that `wall` refuses.
fn breaches(wall: &Wall, members: &BTreeSet<&str>, tree: &str) -> Vec<String> {
    let linked: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|n| !n.is_empty() && *n != wall.package).collect();
    let refused = |name: &&str| {
        let own = members.contains(name) && !wall.own.contains(name);
        own || ALONE.contains(&wall.package) || wall.never.iter().any(|never| is_of(name, never))
    };
    linked.into_iter().filter(refused).map(|name| format!("{} must not link {name}", wall.package)).collect()
}

/// Whether `name` is `family` or one of its parts, as `polars-core` is of `polars`.
fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(package: &str, tree: &str) -> Vec<String> {
        let wall = WALLS.iter().find(|w| w.package == package).expect("a wall");
        breaches(wall, &WALLS.iter().map(|w| w.package).collect(), tree)
    }

    #[test]
    fn a_serving_binary_with_polars_is_refused() {
        let clean = "tidegate v0.1.0 (file)\ntidegate-planner v0.1.0 (file)\naxum v0.8.9\npolarssl v1.0.0\n\naxum v0.8.9 (*)\n";
        assert_eq!(verdict("tidegate", clean), Vec::<String>::new());
        assert_eq!(verdict("tidegate", &format!("{clean}polars v0.55.2\n")), ["tidegate must not link polars"]);
        assert_eq!(verdict("tidegate", &format!("{clean}polars-core v0.55.2\n")), ["tidegate must not link polars-core"]);
    }

    #[test]
    fn an_impure_planner_is_refused() {
        assert_eq!(verdict("tidegate-planner", "tidegate-planner v0.1.0\ntidegate-wire v0.1.0\nserde v1.0.0\n"), Vec::<String>::new());
        assert_eq!(verdict("tidegate-planner", "tokio v1.54.0\n").len(), 1);
        assert_eq!(verdict("tidegate-planner", "tidegate-token-bucket v0.1.0\n").len(), 1);
    }

    #[test]
    fn a_token_bucket_with_any_dependency_is_refused() {
        assert!(verdict("tidegate-token-bucket", "tidegate-token-bucket v0.1.0\n").is_empty());
        assert_eq!(verdict("tidegate-token-bucket", "serde v1.0.0\n").len(), 1);
    }

    #[test]
    fn a_replay_that_serves_is_refused() {
        assert_eq!(verdict("tidegate-replay", "axum v0.8.9\ntidegate v0.1.0\n").len(), 2);
    }
}
