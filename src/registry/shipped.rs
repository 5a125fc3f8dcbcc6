//! The models that come with the binary.

use tidegate_registry::{Active, Registry, RegistryError};

/// Path below `models/` and content of each file that was there when this binary was built.
const SHIPPED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped_models.rs"));

/// Why the shipped models were not installed.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The directory, or the shipped champion under this configuration.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// This binary was built from an `active.json` that is none.
    #[error("the shipped active.json cannot be read: {0}")]
    Active(#[from] serde_json::Error),
}

/// Installs the shipped models into a registry that has none, and promotes the shipped champion; returns its id. `None` when
/// the registry has models of its own or nothing is shipped.
///
/// # Errors
/// [`SeedError`]; the naive experts forecast as long as there is no champion.
pub fn seed(registry: &Registry) -> Result<Option<String>, SeedError> {
    seed_from(registry, SHIPPED)
}

fn seed_from(registry: &Registry, shipped: &[(&str, &[u8])]) -> Result<Option<String>, SeedError> {
    let untouched = matches!(registry.active(), Err(RegistryError::Missing { .. })) && registry.entries()?.is_empty();
    let Some((_, active)) = shipped.iter().find(|(path, _)| *path == "active.json") else { return Ok(None) };
    let Some(champion) = serde_json::from_slice::<Active>(active)?.champion.filter(|_| untouched) else { return Ok(None) };
    let mut files = vec![];
    for (path, bytes) in shipped {
        if let Some(name) = path.strip_prefix(champion.as_str()).and_then(|rest| rest.strip_prefix('/')) {
            files.push((name, *bytes));
        }
    }
    registry.install(&champion, &files)?;
    registry.promote(&champion)?;
    Ok(Some(champion))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::{artefact, files_of};

    const ACTIVE: (&str, &[u8]) = ("active.json", b"{\"champion\":\"base\"}");

    #[test]
    fn a_new_installation_gets_the_shipped_champion_and_an_old_one_keeps_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path().join("models"), 30);
        let (base, other) = (artefact("base", 0.25), artefact("base-2", 0.25));
        let mut shipped = vec![ACTIVE];
        shipped.extend(files_of("base", &base));
        shipped.extend(files_of("base-2", &other));
        assert_eq!(seed_from(&registry, &shipped).unwrap().as_deref(), Some("base"));
        assert_eq!(registry.champion().unwrap().model.id, "base");
        assert!(registry.load("base-2").is_err(), "only the champion is shipped on");
        std::fs::remove_file(registry.dir().join("active.json")).unwrap();
        assert_eq!(seed_from(&registry, &shipped).unwrap(), None, "somebody is at work on this registry");
    }

    #[test]
    fn without_shipped_models_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path(), 30);
        assert_eq!(seed_from(&registry, &[]).unwrap(), None);
        assert_eq!(seed_from(&registry, &[("active.json", b"{\"champion\":null}")]).unwrap(), None);
        assert!(matches!(seed_from(&registry, &[("active.json", b"[")]), Err(SeedError::Active(_))));
    }

    #[test]
    fn what_this_binary_ships_is_fit_to_serve() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path(), 30);
        let champion = seed(&registry).unwrap();
        assert_eq!(champion.is_some(), !SHIPPED.is_empty());
        assert_eq!(champion, registry.champion().ok().map(|loaded| loaded.model.id));
    }
}
