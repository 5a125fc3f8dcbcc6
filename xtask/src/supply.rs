//! Rules on what comes from outside: licences, sources, banned packages. Advisories need a database from the network, so
//! they are not asked here.

use std::collections::BTreeMap;

use crate::workspace::Package;

/// Licences that may be linked into an Apache-2.0 binary without further duty than to name them.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// Packages that must not come back in, each with the reason.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "TLS is rustls with ring; a C library would tie the binary to the system's"),
    ("openssl-sys", "TLS is rustls with ring; a C library would tie the binary to the system's"),
    ("aws-lc-rs", "TLS is rustls with ring; a second provider doubles the build and makes the default ambiguous"),
    ("sled", "the embedded store is redb; sled has had no release since 2021"),
];

/// The one source besides the workspace itself: crates.io, under the name that cargo gives it.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is wrong with these packages.
pub fn findings(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(|p| [licence(p), source(p), banned(p)]).flatten().collect()
}

/// Packages that are linked in several versions: no error, as only their users can mend it.
pub fn duplicates(packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions.into_iter().filter(|(_, v)| v.len() > 1).map(|(name, v)| format!("{name} in versions {}", v.join(", "))).collect()
}

fn licence(package: &Package) -> Option<String> {
    let Package { name, version, license, .. } = package;
    let Some(text) = license else {
        return Some(format!("{name} {version} names no licence"));
    };
    let expression = match spdx::Expression::parse_mode(text, spdx::ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("{name} {version}: licence {text:?} is not an SPDX expression: {}", error.reason)),
    };
    let allowed = |r: &spdx::LicenseReq| r.license.id().is_some_and(|id| LICENCES.contains(&id.name));
    (!expression.evaluate(allowed)).then(|| format!("{name} {version}: licence {text:?} is not among those allowed"))
}

fn source(package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    (source != SOURCE).then(|| format!("{} {} comes from {source}, not from crates.io", package.name, package.version))
}

fn banned(package: &Package) -> Option<String> {
    let (name, why) = BANNED.iter().find(|(name, _)| *name == package.name)?;
    Some(format!("{name} is banned: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Package {
        let package = serde_json::json!({"name": name, "version": "1.0.0", "license": license, "source": source,
            "manifest_path": "Cargo.toml", "id": name});
        serde_json::from_value(package).expect("a package")
    }

    fn verdict(name: &str, license: Option<&str>, source: Option<&str>) -> Vec<String> {
        findings(&[package(name, license, source)])
    }

    #[test]
    fn a_permissive_package_from_the_registry_passes() {
        for licence in ["MIT OR Apache-2.0", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"] {
            assert_eq!(verdict("serde", Some(licence), Some(SOURCE)), Vec::<String>::new(), "{licence}");
        }
        assert!(verdict("xtask", Some("Apache-2.0"), None).is_empty(), "a package of the workspace has no source");
    }

    #[test]
    fn each_rule_goes_red() {
        for licence in [None, Some("GPL-3.0-only"), Some("MIT AND AGPL-3.0"), Some("mine")] {
            assert_eq!(verdict("any", licence, Some(SOURCE)).len(), 1, "{licence:?}");
        }
        assert_eq!(verdict("any", Some("MIT"), Some("git+https://example.com/any")).len(), 1);
        assert_eq!(verdict("openssl", Some("MIT"), Some(SOURCE)).len(), 1);
    }

    #[test]
    fn two_versions_are_noted() {
        let mut packages = vec![package("syn", None, None), package("quote", None, None), package("syn", None, None)];
        packages[2].version = "2.0.0".into();
        assert_eq!(duplicates(&packages), ["syn in versions 1.0.0, 2.0.0"]);
    }
}
