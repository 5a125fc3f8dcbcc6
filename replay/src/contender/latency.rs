//! Limits that follow latency: what protects a service that says nothing of its capacity.

use tidegate_wire::{Report, Timestamp};

use super::{
    Brief, Contender, Leased,
    books::Books,
    observed::{self, Observed},
};
use crate::{origin::Origin, workload::WINDOW_S};

/// Least part of an even share of all that can be in flight that a node's limit is kept at.
const LEAST: f64 = 0.02;
/// Gradient2: weight of the newest latency in the long-term one: `longWindow` of 600 samples, which at one a second are 20 windows.
const LONG_NEWEST: f64 = 2.0 / 21.0;
/// Gradient2: what is left of the long-term latency where it is over twice the newest.
const LONG_DECAY: f64 = 0.9;
/// Envoy: latency that is tolerated above the least one, as a part of it (`min_rtt_calc_params.buffer`).
const BUFFER: f64 = 0.25;

/// How a node's limit follows the latency that it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Netflix's Gradient2Limit (<https://github.com/Netflix/concurrency-limits>): the limit shrinks by the ratio of long-term to newest
    /// latency, at most by half, and grows by what may queue. That is the square root of the limit here, as in the first Gradient:
    /// Gradient2's own 4 requests mean nothing at these scales.
    Gradient2,
    /// Envoy's gradient controller
    /// (<https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/adaptive_concurrency_filter>): the limit is multiplied by the
    /// ratio of least latency, with a buffer, to the newest, from a half to two, and grows by its square root.
    Envoy,
}

/// Adaptive concurrency, turned into rates.
///
/// Those controllers sit in every node, limit requests in flight and measure how long they take. A token bucket sees no latency, so:
/// - The origin's latency is a **stand-in**: its burst is read as a queue that it works off at its sustained rate, so that a
///   request waits for backlog / sustained seconds, and a full queue is just what the token bucket calls empty. The latency without
///   a queue is taken to be as long as a full queue takes, so latency doubles just before the origin is overloaded.
/// - A limit L on requests in flight at latency W is a rate of L / W (Little's law).
/// - A limit moves once per tick, on what was reported of the window, and is read when the store has it: the terms of every
///   contender here. In its own home it would move many times a second, without delay. What smooths over a few such moves
///   (Gradient2's `smoothing`) is left out, because it has settled long before a tick ends.
/// - Nothing holds these controllers to a total. Here they share one like the others, so their rates are cut in proportion where
///   they exceed the origin. Of a limit, twice what was in flight comes first and the rest as far as there is room: a limit that
///   is not used costs nobody anything there, and would keep others' tokens here.
/// - The least latency is given, not measured by letting hardly anything through, as Envoy does now and then.
pub struct Latency {
    books: Books,
    law: Law,
    queue: Queue,
    limits: Vec<Limit>,
}

/// The origin's burst read as a queue.
#[derive(Debug, Clone, Copy)]
struct Queue {
    origin: Origin,
    backlog: f64,
}

/// A node's limit on requests in flight.
#[derive(Debug, Clone, Copy)]
struct Limit {
    in_flight: f64,
    /// What of it was used, at least.
    used: f64,
    long_term_s: f64,
    least: f64,
    most: f64,
}

impl Latency {
    /// Starts from the nodes' mean demand, at the latency without a queue.
    pub fn new(brief: &Brief, law: Law) -> Self {
        let books = Books::new(brief);
        let queue = Queue { origin: brief.origin, backlog: 0.0 };
        let all = brief.origin.sustained_per_s * queue.unloaded_s();
        let least = LEAST * all / books.opening_parts().len() as f64;
        let limit = |part: &f64| Limit {
            in_flight: (part * all).max(least),
            used: part * all,
            long_term_s: queue.unloaded_s(),
            least,
            most: 2.0 * all,
        };
        let limits = books.opening_parts().iter().map(limit).collect();
        Self { books, law, queue, limits }
    }
}

impl Contender for Latency {
    fn opening(&mut self) -> Vec<Leased> {
        self.books.open()
    }

    fn tick(&mut self, now: Timestamp, reports: &[Report]) -> Vec<Leased> {
        self.books.acknowledge(reports);
        let observed = observed::by_node(reports, self.limits.len());
        let admitted = observed.iter().map(|o| o.offered - o.throttled).sum();
        let latency_s = self.queue.latency_s(admitted);
        for (limit, seen) in self.limits.iter_mut().zip(&observed) {
            limit.follow(self.law, *seen, latency_s, self.queue.unloaded_s());
        }
        let all = self.books.origin().sustained_per_s * latency_s;
        let rates: Vec<f64> = in_flight(all, &self.limits).iter().map(|in_flight| in_flight / latency_s).collect();
        self.books.lease(now.as_secs(), &rates)
    }
}

impl Queue {
    /// Seconds that a request takes at an origin without a queue, never zero.
    fn unloaded_s(&self) -> f64 {
        (self.origin.burst / self.origin.sustained_per_s).max(1.0)
    }

    /// Mean latency of a window in which `admitted` requests came.
    fn latency_s(&mut self, admitted: f64) -> f64 {
        let before = self.backlog;
        self.backlog = (before + admitted - self.origin.sustained_per_s * f64::from(WINDOW_S)).max(0.0);
        self.unloaded_s() + (before + self.backlog) / 2.0 / self.origin.sustained_per_s
    }
}

/// What of each limit is leased where `all` can be in flight together.
fn in_flight(all: f64, limits: &[Limit]) -> Vec<f64> {
    let first = |limit: &Limit| limit.in_flight.min(2.0 * limit.used);
    let claimed: f64 = limits.iter().map(first).sum();
    let rest: f64 = limits.iter().map(|limit| limit.in_flight - first(limit)).sum();
    let part = if rest > 0.0 { ((all - claimed) / rest).clamp(0.0, 1.0) } else { 0.0 };
    limits.iter().map(|limit| first(limit) + part * (limit.in_flight - first(limit))).collect()
}

impl Limit {
    fn follow(&mut self, law: Law, seen: Observed, latency_s: f64, unloaded_s: f64) {
        let in_flight = (seen.offered - seen.throttled) / f64::from(WINDOW_S) * latency_s;
        // A client that was refused had all in flight that it may.
        self.used = if seen.throttled > 0.0 { self.in_flight } else { in_flight };
        if seen.offered <= 0.0 {
            return;
        }
        let limit = match law {
            Law::Gradient2 => self.gradient2(latency_s),
            Law::Envoy => {
                let moved = self.in_flight * (unloaded_s * (1.0 + BUFFER) / latency_s).clamp(0.5, 2.0);
                moved + moved.sqrt()
            }
        };
        self.in_flight = limit.clamp(self.least, self.most);
    }

    fn gradient2(&mut self, latency_s: f64) -> f64 {
        self.long_term_s += LONG_NEWEST * (latency_s - self.long_term_s);
        if self.long_term_s > 2.0 * latency_s {
            self.long_term_s *= LONG_DECAY;
        }
        if self.used < self.in_flight / 2.0 {
            return self.in_flight;
        }
        self.in_flight * (self.long_term_s / latency_s).clamp(0.5, 1.0) + self.in_flight.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { sustained_per_s: 10.0, burst: 600.0 };

    fn limit() -> Limit {
        Limit { in_flight: 100.0, used: 100.0, long_term_s: 60.0, least: 1.0, most: 1200.0 }
    }

    fn busy() -> Observed {
        Observed { offered: 900.0, throttled: 600.0 }
    }

    #[test]
    fn latency_doubles_when_the_burst_is_used_up_and_falls_back() {
        let mut queue = Queue { origin: ORIGIN, backlog: 0.0 };
        assert_eq!(queue.latency_s(300.0), 60.0, "what is worked off in time waits for nothing");
        queue.latency_s(900.0);
        assert_eq!((queue.backlog, queue.latency_s(300.0)), (600.0, 120.0));
        queue.latency_s(0.0);
        queue.latency_s(0.0);
        assert_eq!(queue.latency_s(0.0), 60.0);
    }

    #[test]
    fn limits_grow_under_load_and_shrink_with_latency() {
        for law in [Law::Gradient2, Law::Envoy] {
            let (mut calm, mut slow) = (limit(), limit());
            for _tick in 0..5 {
                calm.follow(law, busy(), 60.0, 60.0);
                slow.follow(law, busy(), 240.0, 60.0);
            }
            assert!(calm.in_flight > 130.0, "{law:?} {calm:?}");
            assert!(slow.in_flight < 60.0 && slow.in_flight >= slow.least, "{law:?} {slow:?}");
        }
    }

    #[test]
    fn what_is_not_used_is_leased_where_there_is_room() {
        let limits = [Limit { used: 10.0, ..limit() }, limit()];
        assert_eq!(in_flight(300.0, &limits), [100.0, 100.0]);
        assert_eq!(in_flight(160.0, &limits), [60.0, 100.0]);
        assert_eq!(in_flight(100.0, &limits), [20.0, 100.0], "cut in proportion by the books");
    }

    #[test]
    fn gradient2_does_not_grow_on_a_limit_that_is_not_used() {
        let mut idle = limit();
        idle.follow(Law::Gradient2, Observed { offered: 3.0, throttled: 0.0 }, 60.0, 60.0);
        assert_eq!((idle.in_flight, idle.used), (100.0, 6.0));
    }
}
