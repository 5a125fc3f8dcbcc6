//! Following the champion.

use std::sync::Arc;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use tidegate_registry::{Fingerprint, Registry};
use tokio::{sync::watch, task};

use crate::{
    clock::Clock,
    engine::{Engine, EngineError},
};

/// Tells the recorder what each metric of this module means.
pub fn describe() {
    describe_counter!("tidegate_models_loaded_total", "Champions that were loaded and handed to the planner");
    describe_counter!("tidegate_model_errors_total", "Champions that could not be used, by kind");
    describe_gauge!("tidegate_model_trouble", "1 while the champion cannot be used and the last good model serves, else 0");
}

/// Hands the champion to the engine whenever it changes.
pub struct Follower {
    registry: Registry,
    engine: Engine,
    seen: Option<Fingerprint>,
    trouble: watch::Sender<Option<String>>,
}

impl Follower {
    /// Follows the champion of `registry` for `engine`.
    pub fn new(registry: Registry, engine: Engine) -> Self {
        Self { registry, engine, seen: None, trouble: watch::Sender::new(None) }
    }

    /// Why the champion is not in force; `None` when it is.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// Looks once. A champion that has changed is in force from the next tick on; one that cannot be used is counted and
    /// logged, once until it changes again, and leaves the last good model, or none, in force.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn look(&mut self) -> Result<(), EngineError> {
        let (registry, seen) = (self.registry.clone(), self.seen.clone());
        let looked = task::spawn_blocking(move || {
            // Taken before the files are read: a change in between shows at the next look.
            let fingerprint = registry.fingerprint();
            let changed = seen.as_ref() != Some(&fingerprint);
            changed.then(|| (fingerprint, registry.champion()))
        });
        let Ok(Some((fingerprint, champion))) = looked.await else { return Ok(()) };
        self.seen = Some(fingerprint);
        let trouble = match champion {
            Ok(loaded) => {
                tracing::info!(model = loaded.model.id, "champion in force from the next tick on");
                counter!("tidegate_models_loaded_total").increment(1);
                self.engine.set_model(Some(loaded.model)).await?;
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the last good model, or none, stays in force");
                counter!("tidegate_model_errors_total", "kind" => error.kind()).increment(1);
                Some(error.to_string())
            }
        };
        gauge!("tidegate_model_trouble").set(if trouble.is_some() { 1.0 } else { 0.0 });
        self.trouble.send_replace(trouble);
        Ok(())
    }

    /// Looks every `every_s` seconds; it ends when it is aborted, or when the engine is found to have stopped.
    pub async fn run(mut self, clock: Arc<dyn Clock>, every_s: i64) {
        while self.look().await.is_ok() {
            clock.sleep_until(clock.now().plus_secs(every_s)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use crate::registry::testing::{Site, artefact};

    #[tokio::test]
    async fn a_promoted_model_is_in_force_without_a_restart() {
        let site = Site::start();
        let mut follower = site.follower();
        follower.look().await.unwrap();
        assert_eq!(site.in_force().await, None, "no model yet");
        assert!(follower.trouble().borrow().as_ref().is_some_and(|t| t.contains("active.json is missing")));
        for id in ["first", "second"] {
            site.install(id, &artefact(id, 0.25));
            site.registry.promote(id).unwrap();
            follower.look().await.unwrap();
            assert_eq!(site.in_force().await.as_deref(), Some(id));
            assert_eq!(*follower.trouble().borrow(), None);
        }
        site.registry.rollback().unwrap();
        follower.look().await.unwrap();
        assert_eq!(site.in_force().await.as_deref(), Some("first"));
    }

    #[tokio::test]
    async fn whatever_is_wrong_with_the_champion_the_last_good_one_stays() {
        type Damage = fn(&Site);
        let damages: [(&str, Damage); 7] = [
            ("active.json is missing", |s| fs::remove_file(s.path("active.json")).unwrap()),
            ("active.json is corrupt", |s| fs::write(s.path("active.json"), "{").unwrap()),
            ("there is no", |s| fs::write(s.path("active.json"), "{\"champion\":\"gone\"}").unwrap()),
            ("does not match the manifest", |s| fs::write(s.path("good/model.json"), "{}").unwrap()),
            ("model.json cannot be read", |s| s.promote_unchecked("nan", &artefact("nan", 0.25).replacen("0.25", "NaN", 1))),
            ("other features", |s| s.promote_unchecked("other", &artefact("other", 0.25).replace("log_level", "log_levels"))),
            ("not a model id", |s| fs::write(s.path("active.json"), "{\"champion\":\"../good\"}").unwrap()),
        ];
        for (trouble, damage) in damages {
            let site = Site::start();
            let mut follower = site.follower();
            site.install("good", &artefact("good", 0.25));
            site.registry.promote("good").unwrap();
            follower.look().await.unwrap();
            damage(&site);
            follower.look().await.unwrap();
            assert_eq!(site.in_force().await.as_deref(), Some("good"), "{trouble}");
            let seen = follower.trouble().borrow().clone().unwrap_or_default();
            assert!(seen.contains(trouble), "{trouble}: {seen}");
        }
    }

    #[tokio::test]
    async fn a_model_that_is_mended_in_place_is_found() {
        let site = Site::start();
        let mut follower = site.follower();
        site.promote_unchecked("m", "{");
        follower.look().await.unwrap();
        assert!(follower.trouble().borrow().is_some());
        site.promote_unchecked("m", &artefact("m", 0.25));
        follower.look().await.unwrap();
        assert_eq!((site.in_force().await.as_deref(), follower.trouble().borrow().as_ref()), (Some("m"), None));
    }

    #[test]
    fn the_same_trouble_is_counted_once() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let looks = async {
            let site = Site::start();
            let mut follower = site.follower();
            follower.look().await.unwrap();
            follower.look().await.unwrap();
        };
        metrics::with_local_recorder(&recorder, || runtime.block_on(looks));
        let page = recorder.handle().render();
        assert!(page.contains("tidegate_model_errors_total{kind=\"missing\"} 1"), "{page}");
        assert!(page.contains("tidegate_model_trouble 1"), "{page}");
    }

    #[tokio::test]
    async fn the_task_finds_a_change_at_its_next_look() {
        let site = Site::start();
        site.install("m", &artefact("m", 0.25));
        let follower = site.follower();
        let mut trouble = follower.trouble();
        let task = tokio::spawn(follower.run(site.clock.clone(), 5));
        trouble.wait_for(Option::is_some).await.unwrap();
        site.registry.promote("m").unwrap();
        site.clock.advance(5);
        trouble.wait_for(Option::is_none).await.unwrap();
        assert_eq!(site.in_force().await.as_deref(), Some("m"));
        task.abort();
    }
}
