//! Changing the champion, one process at a time.

use std::{
    fs::{self, File},
    process,
};

use crate::{
    Active, Loaded, Registry, RegistryError,
    replace::{rename_synced, write_synced},
};

impl Registry {
    /// Makes `id` the champion, once it has passed every check of [`Registry::load`].
    ///
    /// # Errors
    /// As [`Registry::load`]; [`RegistryError::Corrupt`] when `active.json` would have to be overwritten unread.
    pub fn promote(&self, id: &str) -> Result<Loaded, RegistryError> {
        let loaded = self.load(id)?;
        let _lock = self.lock()?;
        let active = match self.active() {
            Err(RegistryError::Missing { .. }) => Active::default(),
            known => known?,
        };
        self.write_active(&active.promoted(id))?;
        Ok(loaded)
    }

    /// Makes the previous champion the champion again, once it has passed every check of [`Registry::load`].
    ///
    /// # Errors
    /// [`RegistryError::NoPrevious`] when there is none; otherwise as [`Registry::promote`].
    pub fn rollback(&self) -> Result<Loaded, RegistryError> {
        let _lock = self.lock()?;
        let active = match self.active() {
            Err(RegistryError::Missing { .. }) => return Err(RegistryError::NoPrevious),
            known => known?.rolled_back().ok_or(RegistryError::NoPrevious)?,
        };
        let id = active.champion.clone().ok_or(RegistryError::NoPrevious)?;
        let loaded = self.load(&id)?;
        self.write_active(&active)?;
        Ok(loaded)
    }

    /// Holds other processes and threads off `active.json` until the file is dropped; a process that dies lets go.
    fn lock(&self) -> Result<File, RegistryError> {
        let path = self.dir().join(".lock");
        fs::create_dir_all(self.dir()).map_err(RegistryError::io(self.dir()))?;
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(RegistryError::io(&path))?;
        file.lock().map_err(RegistryError::io(&path))?;
        Ok(file)
    }

    fn write_active(&self, active: &Active) -> Result<(), RegistryError> {
        let path = self.active_path();
        let partial = self.dir().join(format!(".active.{}.tmp", process::id()));
        let mut text = serde_json::to_vec_pretty(active).map_err(|source| RegistryError::Corrupt { path: path.clone(), source })?;
        text.push(b'\n');
        write_synced(&partial, &text)?;
        rename_synced(&partial, &path)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crate::testing::Folder;

    #[test]
    fn promotion_and_rollback_move_the_champion() {
        let folder = Folder::with_champion("a");
        folder.add("b");
        let registry = folder.registry();
        assert_eq!(registry.promote("b").unwrap().model.id, "b");
        assert_eq!(registry.champion().unwrap().model.id, "b");
        assert_eq!(registry.rollback().unwrap().model.id, "a");
        assert_eq!(registry.champion().unwrap().model.id, "a");
    }

    #[test]
    fn the_first_promotion_needs_no_active_file() {
        let folder = Folder::empty();
        folder.add("a");
        folder.registry().promote("a").unwrap();
        assert_eq!(folder.registry().champion().unwrap().model.id, "a");
    }

    #[test]
    fn a_refused_change_leaves_the_champion() {
        let folder = Folder::with_champion("a");
        folder.add("bad");
        folder.edit("bad/model.json", "0.25", "0.26");
        let registry = folder.registry();
        assert_eq!(registry.promote("unheard-of").unwrap_err().kind(), "unknown");
        assert_eq!(registry.promote("../a").unwrap_err().kind(), "id");
        assert_eq!(registry.promote("bad").unwrap_err().kind(), "checksum");
        assert_eq!(registry.rollback().unwrap_err().kind(), "no_previous");
        folder.write("active.json", "{\"champion\":\"a\",\"previous\":[\"bad\"]}");
        assert_eq!(registry.rollback().unwrap_err().kind(), "checksum");
        assert_eq!(registry.champion().unwrap().model.id, "a");
    }

    #[test]
    fn a_corrupt_active_file_is_not_overwritten() {
        let folder = Folder::with_champion("a");
        folder.write("active.json", "{\"champion\":");
        assert_eq!(folder.registry().promote("a").unwrap_err().kind(), "corrupt");
        assert_eq!(folder.registry().rollback().unwrap_err().kind(), "corrupt");
    }

    #[test]
    fn promotions_at_the_same_time_lose_no_champion() {
        let folder = Folder::with_champion("m0");
        let ids: Vec<String> = (1..=8).map(|i| format!("m{i}")).collect();
        ids.iter().for_each(|id| folder.add(id));
        thread::scope(|scope| {
            for id in &ids {
                scope.spawn(|| folder.registry().promote(id).unwrap());
            }
        });
        let active = folder.registry().active().unwrap();
        assert_eq!(active.previous.len(), ids.len(), "each promotion keeps the champion it replaced: {active:?}");
    }
}
