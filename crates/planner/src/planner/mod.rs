//! The planner itself: state, model and settings behind `observe` and `tick`.
//!
//! What is observed passes `beyond`. [`tick`](self) runs in the order of its files: `close` folds finished windows in, `entitle`
//! says what may be claimed of them, `origin` leases an origin's capacity to its nodes, `node` turns a node's lease into its rate table,
//! `leave` says for whom its pool is kept; `explain`, `view` and `snapshot` answer questions about the result.

mod beyond;
mod close;
mod entitle;
mod explain;
mod guarantee;
mod leave;
mod limits;
mod node;
mod origin;
mod policy;
mod snapshot;
mod view;

pub use snapshot::RestoreError;
pub use view::{NodeView, Outlook, SeriesView};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use tidegate_wire::{RateTable, Report, Timestamp};

use crate::{
    Model, Plan, Settings, SettingsError, Summary,
    allocate::Supply,
    forecast::{Calibration, Compiled, Means, quantile::GammaTable},
    plan::OriginSummary,
    state::Store,
};

/// The same for every planner, and slow to make.
static GAMMA: LazyLock<GammaTable> = LazyLock::new(GammaTable::default);

/// Ticks between two searches for idle series.
const EVICT_EVERY: u64 = 60;

/// Demand state of all nodes and the plan made from it.
pub struct Planner {
    settings: Settings,
    model: Option<Model>,
    compiled: Option<Compiled>,
    degraded: Option<String>,
    gamma: &'static GammaTable,
    store: Store,
    /// By node number.
    supplies: Vec<Supply>,
    calibration: Calibration,
    means: Means,
    /// The table each node was last leased.
    tables: BTreeMap<String, Arc<RateTable>>,
    epoch: u64,
}

impl Planner {
    /// An empty planner.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn new(settings: Settings, model: Option<Model>) -> Result<Self, SettingsError> {
        settings.check()?;
        let mut store = Store::new(settings.interval_s, settings.limits.clone());
        store.as_reported = settings.without.censoring;
        let mut planner = Self {
            settings,
            model: None,
            compiled: None,
            degraded: None,
            gamma: &GAMMA,
            store,
            supplies: vec![],
            calibration: Calibration::default(),
            means: Means::default(),
            tables: BTreeMap::new(),
            epoch: 0,
        };
        planner.set_model(model);
        Ok(planner)
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes in a report that is valid and not a duplicate. Order within a window does not matter.
    pub fn observe(&mut self, report: &Report) {
        let report = self.within_ceilings(report);
        self.store.record(&report);
        self.supplies.resize_with(self.store.nodes.len(), Supply::default);
    }

    /// Closes all windows that end at or before `now`, forecasts, allocates and returns the plan of the next epoch.
    ///
    /// A node whose rates stay within the dead-band keeps the table, and the epoch, that it was leased before.
    pub fn tick(&mut self, now: Timestamp) -> Plan {
        self.close(self.store.window_of(now.as_secs()) - 1);
        self.raise(self.epoch + 1);
        if self.epoch.is_multiple_of(EVICT_EVERY) {
            self.evict(now);
        }
        self.know_limited();
        self.means.update(self.compiled.as_ref(), &mut self.store);
        if self.settings.without.forecast {
            self.means.repeat_last(&mut self.store);
        }
        if !self.settings.without.calibration {
            self.calibration.expect(&self.store, &self.means);
        }
        self.foresee(now);
        let past = self.past();
        let origins = self.lease(&past, now);
        Plan { epoch: self.epoch, issued_at: now, tables: self.tables.clone(), summary: self.summary(now, origins) }
    }

    /// Replaces the model from the next tick on; `None` leaves the naive experts alone.
    ///
    /// A model that does not fit this version or interval is refused: the planner goes on without one and the plan's summary says why.
    pub fn set_model(&mut self, model: Option<Model>) {
        let unfit = model.as_ref().and_then(|m| m.check().err().map(|e| e.to_string()).or_else(|| self.wrong_interval(m)));
        self.degraded = match (&model, &unfit) {
            (None, _) => Some("no model: rates come from the naive forecasts".to_owned()),
            (_, reason) => reason.clone(),
        };
        self.model = model.filter(|_| unfit.is_none());
        self.compiled = self.model.as_ref().map(Compiled::from);
    }

    /// The model in use.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }

    /// Epoch of the last plan; 0 before the first.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Sees to it that the next plan's epoch is above `epoch`.
    ///
    /// Plans were made that this planner does not know of, so every node gets a new table: it may refuse the old one as outdated.
    pub fn raise_epoch(&mut self, epoch: u64) {
        if epoch > self.epoch {
            self.tables.clear();
            self.raise(epoch);
        }
    }

    fn raise(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.store.set_issued(epoch);
    }

    /// Series kept for `node`: its buckets.
    pub fn series_of(&self, node: &str) -> usize {
        let Some(number) = self.store.node_number(node) else { return 0 };
        self.store.nodes[number as usize].series
    }

    /// Whether `bucket` is a series of `node`.
    pub fn knows(&self, node: &str, bucket: &str) -> bool {
        self.store.node_number(node).is_some_and(|n| self.store.row(n, bucket).is_some())
    }

    /// The demand state, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn wrong_interval(&self, model: &Model) -> Option<String> {
        let wanted = self.settings.interval_s;
        (model.step_s != wanted)
            .then(|| format!("model {} was fitted on windows of {} s, the interval is {wanted} s", model.id, model.step_s))
    }

    /// Seconds of silence after which a node is forgotten: not before the last lease that it may have got has ended.
    fn forget_after_s(&self) -> i64 {
        let lease = &self.settings.lease;
        i64::from(lease.forget_after_s.max(lease.duration_s.saturating_mul(2))) + self.store.interval_s()
    }

    fn evict(&mut self, now: Timestamp) {
        let window = self.store.window_of(now.as_secs());
        let names: Vec<String> = self.store.nodes.iter().filter(|n| n.known).map(|n| n.name.clone()).collect();
        let limited: BTreeSet<String> = self.named_limits().into_iter().map(str::to_owned).collect();
        self.store.evict(window, self.forget_after_s(), |bucket| limited.contains(bucket));
        for name in names.iter().filter(|n| self.store.node_number(n).is_none()) {
            self.tables.remove(name);
        }
        for (supply, node) in self.supplies.iter_mut().zip(&self.store.nodes) {
            if !node.known {
                *supply = Supply::default();
            }
        }
    }

    fn summary(&self, now: Timestamp, origins: Vec<OriginSummary>) -> Summary {
        let mut s = Summary { origins, degraded: self.degraded.clone(), series: self.store.live(), ..Summary::default() };
        s.series_on_naive = self.means.on_naive;
        let columns = &self.store.columns;
        for node in self.store.nodes.iter().filter(|n| n.known) {
            let total = node.total as usize;
            s.nodes += 1;
            s.nodes_reporting += usize::from(Some(node.last) >= self.store.closed());
            s.demand += f64::from(columns.offered[total]);
            s.throttled += f64::from(columns.throttled[total]);
            s.forecast += f64::from(columns.forecast[total]);
            s.series -= 1;
        }
        s.admitted = s.demand - s.throttled;
        let vanished = self.store.nodes.iter().filter(|n| n.known && self.vanished(n.last, now)).count();
        s.nodes -= vanished;
        s
    }
}
