//! What a run comes to.

use std::fmt;

use tidegate_edge_node::Taken;

use super::fixed::Origin;

/// Requests of a stretch of time, counted by whether somebody wants them admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests that somebody wants admitted.
    pub wanted: u64,
    /// Of those, how many were throttled.
    pub throttled: u64,
    /// Requests of abusers.
    pub abuse: u64,
    /// Of those, how many were admitted.
    pub abuse_admitted: u64,
}

impl Tally {
    /// Counts the requests of one take.
    pub fn count(&mut self, taken: &Taken, is_abuse: bool) {
        let offered = taken.admitted + taken.throttled;
        if is_abuse {
            self.abuse += offered;
            self.abuse_admitted += taken.admitted;
        } else {
            self.wanted += offered;
            self.throttled += taken.throttled;
        }
    }

    /// Adds another stretch.
    pub fn add(&mut self, other: Self) {
        self.wanted += other.wanted;
        self.throttled += other.throttled;
        self.abuse += other.abuse;
        self.abuse_admitted += other.abuse_admitted;
    }

    /// Requests admitted, abuse included.
    pub fn admitted(&self) -> u64 {
        self.wanted - self.throttled + self.abuse_admitted
    }

    /// Requests offered, abuse included.
    pub fn offered(&self) -> u64 {
        self.wanted + self.abuse
    }

    /// Share of the wanted requests that was throttled.
    pub fn throttled_share(&self) -> f64 {
        self.throttled as f64 / self.wanted.max(1) as f64
    }
}

/// An origin that is watched: seconds in which more reached it than its sustained capacity and burst allow.
#[derive(Debug)]
pub(super) struct Watch {
    origin: Origin,
    tokens: f64,
    overloaded: u32,
}

impl Watch {
    /// A rested origin.
    pub fn new(origin: Origin) -> Self {
        Self { origin, tokens: origin.burst, overloaded: 0 }
    }

    /// One more second, in which `admitted` requests reached it.
    pub fn second(&mut self, admitted: u64) {
        self.tokens = (self.tokens + self.origin.sustained_per_s).min(self.origin.burst + self.origin.sustained_per_s) - admitted as f64;
        if self.tokens < -1e-6 * self.origin.burst {
            self.overloaded += 1;
            self.tokens = 0.0;
        }
    }

    /// Seconds of overload so far.
    pub fn overloaded(&self) -> u32 {
        self.overloaded
    }
}

/// Adaptive beside static, on the same requests with the same total tokens and burst.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Requests under leased rates.
    pub adaptive: Tally,
    /// Requests under the static limit.
    pub fixed: Tally,
    /// Seconds in which adaptive nodes sent the origin more than it can take.
    pub overloaded_s: u32,
    /// Tokens per second of all nodes together.
    pub sustained_per_s: f64,
    /// Burst of all nodes together.
    pub burst: f64,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (adaptive, fixed) = (100.0 * self.adaptive.throttled_share(), 100.0 * self.fixed.throttled_share());
        let outcome = match adaptive.total_cmp(&fixed) {
            std::cmp::Ordering::Less if adaptive > 0.0 => format!("{:.1} times fewer", fixed / adaptive),
            std::cmp::Ordering::Less => "none instead of some".to_owned(),
            std::cmp::Ordering::Equal => "no difference".to_owned(),
            std::cmp::Ordering::Greater => "static was better".to_owned(),
        };
        write!(
            f,
            "verdict: adaptive throttled {adaptive:.2} % of legitimate requests, a static limit {fixed:.2} % ({outcome}), both with {:.1} tokens/s \
             and a burst of {:.0}",
            self.sustained_per_s, self.burst
        )?;
        if self.adaptive.abuse > 0 {
            let admitted = |t: Tally| 100.0 * t.abuse_admitted as f64 / t.abuse.max(1) as f64;
            write!(f, "; of the abuse {:.0} % and {:.0} % came through", admitted(self.adaptive), admitted(self.fixed))?;
        }
        match self.overloaded_s {
            0 => write!(f, "; the origin was never overloaded"),
            s => write!(f, "; the origin was overloaded for {s} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(throttled: u64) -> Tally {
        Tally { wanted: 1000, throttled, ..Tally::default() }
    }

    fn verdict(adaptive: u64, fixed: u64) -> String {
        Verdict { adaptive: tally(adaptive), fixed: tally(fixed), overloaded_s: 0, sustained_per_s: 10.0, burst: 50.0 }.to_string()
    }

    #[test]
    fn the_verdict_says_who_was_better() {
        assert!(verdict(10, 100).contains("1.00 % of legitimate requests, a static limit 10.00 % (10.0 times fewer)"));
        assert!(verdict(0, 100).contains("none instead of some"));
        assert!(verdict(100, 10).contains("static was better"));
        assert!(verdict(10, 10).contains("no difference"));
    }

    #[test]
    fn an_origin_takes_its_burst_and_then_what_it_sustains() {
        let mut watch = Watch::new(Origin { sustained_per_s: 10.0, burst: 20.0, ceiling_per_s: 1.0 });
        for admitted in [30, 10, 10] {
            watch.second(admitted);
        }
        assert_eq!(watch.overloaded(), 0);
        watch.second(11);
        assert_eq!(watch.overloaded(), 1);
    }
}
