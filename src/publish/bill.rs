//! What a store's provider charges for, and what that comes to in a month.

use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_wire::Timestamp;

use crate::config::Price;

/// Seconds of the month that prices are quoted for: 30 days.
const MONTH_S: f64 = 30.0 * 86_400.0;
/// Seconds after which a change of pace shows in the estimate by 63 %: long enough to bridge a lease, which makes writes come
/// in waves.
const MEMORY_S: f64 = 3_600.0;

/// Operations that a provider counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Operations {
    /// Values written or deleted; each of a bulk call counts.
    pub writes: u64,
    /// Values read.
    pub reads: u64,
}

/// The operations of one store since the start, and their price.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    /// What was used.
    pub used: Operations,
    /// What it costs; `None` where nobody has said.
    pub price: Option<Price>,
}

impl Bill {
    /// Of a store that runs on one's own machines, which nobody counts.
    pub fn free() -> Self {
        Self { used: Operations::default(), price: Some(Price::default()) }
    }
}

/// Counts operations from many tasks.
#[derive(Debug, Default)]
pub(super) struct Counter {
    writes: AtomicU64,
    reads: AtomicU64,
}

impl Counter {
    pub fn wrote(&self, values: usize) {
        self.writes.fetch_add(values as u64, Ordering::Relaxed);
    }

    pub fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub fn used(&self) -> Operations {
        Operations { writes: self.writes.load(Ordering::Relaxed), reads: self.reads.load(Ordering::Relaxed) }
    }
}

/// Estimates what a store costs in a month at the pace of the last hour, on the plans' own time.
#[derive(Debug, Clone, Default)]
pub(super) struct Estimate {
    before: Option<(Timestamp, Operations)>,
    /// Smoothed operations per second, and the weight that has gone into them: below 1 while the estimate is young.
    writes_per_s: f64,
    reads_per_s: f64,
    weight: f64,
}

impl Estimate {
    /// Takes in what has been used until `now`; returns dollars per month once that spans some time and where there is a price.
    pub fn update(&mut self, now: Timestamp, bill: &Bill) -> Option<f64> {
        let (then, used) = self.before.replace((now, bill.used))?;
        let elapsed_s = now.secs_since(then);
        if elapsed_s <= 0.0 {
            self.before = Some((then, used));
            return None;
        }
        let fresh = 1.0 - (-elapsed_s / MEMORY_S).exp();
        let pace = |now: u64, then: u64| now.saturating_sub(then) as f64 / elapsed_s;
        self.writes_per_s += fresh * (pace(bill.used.writes, used.writes) - self.writes_per_s);
        self.reads_per_s += fresh * (pace(bill.used.reads, used.reads) - self.reads_per_s);
        self.weight += fresh * (1.0 - self.weight);
        let per_month = |per_s: f64| per_s / self.weight * MONTH_S;
        Some(dollars(bill.price.as_ref()?, per_month(self.writes_per_s), per_month(self.reads_per_s)))
    }
}

/// The price of a month with as many writes and reads, the free ones left out.
fn dollars(price: &Price, writes: f64, reads: f64) -> f64 {
    let charged = |count: f64, free: u64, per_million: f64| (count - free as f64).max(0.0) * per_million / 1e6;
    charged(writes, price.free_writes, price.writes_per_million) + charged(reads, price.free_reads, price.reads_per_million)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price { writes_per_million: 5.0, free_writes: 1_000_000, reads_per_million: 0.5, free_reads: 10_000_000 };

    fn after(ticks: u64, writes_per_tick: u64) -> f64 {
        let mut estimate = Estimate::default();
        let mut dollars = None;
        for tick in 0..=ticks {
            let used = Operations { writes: tick * writes_per_tick, reads: tick };
            dollars = estimate.update(Timestamp::from_secs(30 * tick as i64), &Bill { used, price: Some(PRICE) });
        }
        dollars.unwrap()
    }

    #[test]
    fn a_steady_pace_costs_what_the_price_list_says_from_the_second_plan_on() {
        // 86,400 ticks a month; 1,000 keys each: 86.4 M writes, of which 1 M is free.
        let list = (86.4 - 1.0) * 5.0;
        for ticks in [1, 10, 1_000] {
            assert!((after(ticks, 1_000) - list).abs() < 1e-6, "{}", after(ticks, 1_000));
        }
        assert_eq!(after(10, 1), 0.0, "all of it is free");
    }

    #[test]
    fn what_runs_at_home_costs_nothing_and_what_has_no_price_costs_nobody_knows_what() {
        for (price, dollars) in [(Bill::free().price, Some(0.0)), (None, None)] {
            let mut estimate = Estimate::default();
            let bill = |writes| Bill { used: Operations { writes, reads: 0 }, price: price.clone() };
            estimate.update(Timestamp::from_secs(0), &bill(0));
            assert_eq!(estimate.update(Timestamp::from_secs(30), &bill(1_000_000)), dollars);
        }
    }

    #[test]
    fn time_that_stands_still_or_goes_back_changes_nothing() {
        let mut estimate = Estimate::default();
        let bill = |writes| Bill { used: Operations { writes, reads: 0 }, price: Some(Price { free_writes: 0, ..PRICE }) };
        assert_eq!(estimate.update(Timestamp::from_secs(100), &bill(0)), None);
        assert_eq!(estimate.update(Timestamp::from_secs(100), &bill(10)), None);
        assert_eq!(estimate.update(Timestamp::from_secs(40), &bill(20)), None);
        let dollars = estimate.update(Timestamp::from_secs(130), &bill(30)).unwrap();
        assert!((dollars - 1.0 * MONTH_S * 5.0 / 1e6).abs() < 1e-9, "{dollars}");
    }
}
