//! The traffic of attacks, laid over a workload. All of it is synthetic.

use crate::workload::{Demand, Series, WINDOW_S, Workload};

/// Rank, by requests in the part to learn from, of the key that turns against the others: 0 is the busiest.
const HOG_RANK: usize = 4;
const HOG_TIMES: u32 = 100;
const SWARM_KEYS: usize = 10_000;
const BOTNET_KEYS: usize = 1000;
/// Most keys of a swarm that ask in one second; each then asks for as much more.
const KEYS_A_SECOND: u32 = 16;
/// Length of the crowd that a botnet hides in.
const CROWD_WINDOWS: usize = 120;
/// Windows over which a poisoner grows: a day.
const DAY_WINDOWS: u32 = 2880;

/// A way to abuse the limiter. Volumes are multiples of the mean demand of the honest scored part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Attack {
    /// The fifth busiest key asks for a hundred times as much.
    Hog,
    /// Ten thousand keys that nobody has seen before, 5 x the mean together, at all nodes.
    Swarm,
    /// One key that grows over a day, or the scored part, from nothing to 10 x the mean.
    Poison,
    /// One key that behaves while the baseline is learned, at a tenth of the mean, and then asks for 10 x the mean whenever
    /// honest demand is above its own mean.
    Learner,
    /// One key with 10 x the mean in every second window, each time at the next node.
    Pulse,
    /// A thousand new keys in the busiest hour, as much together as all honest ones.
    Botnet,
    /// One captured node that claims a hundred times its demand; no attack traffic.
    Forged,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Hog, Self::Swarm, Self::Poison, Self::Learner, Self::Pulse, Self::Botnet, Self::Forged];

    /// Name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hog => "hog",
            Self::Swarm => "swarm",
            Self::Poison => "poison",
            Self::Learner => "learner",
            Self::Pulse => "pulse",
            Self::Botnet => "botnet",
            Self::Forged => "forged",
        }
    }
}

/// A workload under attack.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlaid {
    /// Honest and attacking demand; the series of the honest workload come first, unchanged.
    pub workload: Workload,
    /// By series, whether it serves the attacker.
    pub hostile: Vec<bool>,
    /// The captured node.
    pub captured: Option<usize>,
}

/// Lays `attack` over `honest`; `None` where the trace does not have what the attack needs.
pub fn overlay(honest: &Workload, attack: Attack) -> Option<Overlaid> {
    let mut over = Overlay::new(honest);
    match attack {
        Attack::Hog => over.hog()?,
        Attack::Swarm => over.swarm(SWARM_KEYS, |over, _| 5.0 * over.mean),
        Attack::Poison => over.poison(),
        Attack::Learner => over.learner(),
        Attack::Pulse => over.pulse(),
        Attack::Botnet => over.botnet(),
        Attack::Forged if honest.nodes < 2 => return None,
        Attack::Forged => over.capture(),
    }
    Some(over.finish())
}

/// A workload while an attack is laid over it.
struct Overlay {
    workload: Workload,
    hostile: Vec<bool>,
    captured: Option<usize>,
    /// Mean demand of the honest scored part, requests per second.
    mean: f64,
    /// Honest demand by second.
    honest: Vec<u32>,
    /// The node of middling demand: where an attacker with one key comes in.
    entrance: usize,
    /// Attack not yet sent for want of a whole request.
    owed: f64,
}

impl Overlay {
    fn new(honest: &Workload) -> Self {
        let mut by_second = vec![0; (honest.windows * WINDOW_S) as usize];
        let mut by_node = vec![0_u64; honest.nodes];
        for row in &honest.rows {
            by_second[row.second as usize] += row.requests;
            by_node[honest.series[row.series as usize].node] += u64::from(row.requests);
        }
        let mut order: Vec<usize> = (0..honest.nodes).collect();
        order.sort_by_key(|&node| by_node[node]);
        Self {
            hostile: vec![false; honest.series.len()],
            captured: None,
            mean: honest.scored_mean_per_s(),
            honest: by_second,
            entrance: order[honest.nodes / 2],
            owed: 0.0,
            workload: honest.clone(),
        }
    }

    fn finish(mut self) -> Overlaid {
        self.workload.rows.sort_by_key(|row| row.second);
        Overlaid { workload: self.workload, hostile: self.hostile, captured: self.captured }
    }

    fn scored(&self) -> std::ops::Range<u32> {
        self.workload.fit_windows * WINDOW_S..self.workload.windows * WINDOW_S
    }

    /// A new key, at `node`.
    fn key(&mut self, node: usize) -> usize {
        let bucket = self.workload.buckets;
        self.workload.buckets += 1;
        self.key_at(bucket, node)
    }

    fn key_at(&mut self, bucket: usize, node: usize) -> usize {
        self.workload.series.push(Series { node, bucket });
        self.hostile.push(true);
        self.workload.series.len() - 1
    }

    /// Asks for `per_s` requests in `second`; what is less than one is carried over to the next.
    fn ask(&mut self, series: usize, second: u32, per_s: f64) {
        let requests = self.whole(per_s);
        if requests > 0 {
            self.workload.rows.push(Demand { second, series: series as u32, requests, errors: 0, bytes_mean: 0.0 });
        }
    }

    fn whole(&mut self, per_s: f64) -> u32 {
        self.owed += per_s;
        let requests = self.owed.floor();
        self.owed -= requests;
        requests as u32
    }

    fn hog(&mut self) -> Option<()> {
        let mut totals = vec![0_u64; self.workload.buckets];
        for row in self.workload.fit_rows() {
            totals[self.workload.series[row.series as usize].bucket] += u64::from(row.requests);
        }
        let mut order: Vec<usize> = (0..totals.len()).filter(|&b| totals[b] > 0).collect();
        order.sort_by_key(|&bucket| std::cmp::Reverse(totals[bucket]));
        let hog = *order.get(HOG_RANK)?;
        for (series, hostile) in self.workload.series.iter().zip(&mut self.hostile) {
            *hostile = series.bucket == hog;
        }
        let first = self.workload.first_scored();
        for row in self.workload.rows[first..].iter_mut().filter(|row| self.hostile[row.series as usize]) {
            row.requests = row.requests.saturating_mul(HOG_TIMES);
        }
        Some(())
    }

    /// `keys` new keys that take turns, over all nodes; `per_s` says how much they ask for together in a second.
    fn swarm(&mut self, keys: usize, per_s: impl Fn(&Self, u32) -> f64) {
        let first = self.workload.series.len();
        for key in 0..keys {
            self.key(key % self.workload.nodes);
        }
        let mut turn = 0;
        for second in self.scored() {
            let requests = self.whole(per_s(self, second));
            let asking = requests.min(KEYS_A_SECOND);
            for i in 0..asking {
                let part = requests / asking + u32::from(i < requests % asking);
                self.ask(first + turn % keys, second, f64::from(part));
                turn += 1;
            }
        }
    }

    fn poison(&mut self) {
        let key = self.key(self.entrance);
        let scored = self.scored();
        let growth = f64::from((scored.len() as u32).min(DAY_WINDOWS * WINDOW_S));
        for second in scored.clone() {
            let grown = (f64::from(second - scored.start) / growth).min(1.0);
            self.ask(key, second, 10.0 * self.mean * grown);
        }
    }

    fn learner(&mut self) {
        let key = self.key(self.entrance);
        for second in 0..self.scored().start {
            self.ask(key, second, 0.1 * self.mean);
        }
        // The last five minutes, which is what one who only watches can tell.
        let mut lately = 0.0;
        for second in self.scored() {
            lately += (f64::from(self.honest[second as usize]) - lately) / 300.0;
            self.ask(key, second, if lately > self.mean { 10.0 * self.mean } else { 0.1 * self.mean });
        }
    }

    fn pulse(&mut self) {
        let bucket = self.workload.buckets;
        self.workload.buckets += 1;
        let keys: Vec<usize> = (0..self.workload.nodes).map(|node| self.key_at(bucket, node)).collect();
        for second in self.scored().filter(|second| (second / WINDOW_S).is_multiple_of(2)) {
            let pulse = second / WINDOW_S / 2;
            self.ask(keys[pulse as usize % keys.len()], second, 10.0 * self.mean);
        }
    }

    fn botnet(&mut self) {
        let first = self.scored().start / WINDOW_S;
        let windows: Vec<u32> = self.honest.chunks(WINDOW_S as usize).skip(first as usize).map(|w| w.iter().sum()).collect();
        let length = CROWD_WINDOWS.min(windows.len());
        let crowds = windows.windows(length).map(|w| w.iter().sum::<u32>());
        let busiest = crowds.enumerate().max_by_key(|(_, demand)| *demand).map_or(0, |(start, _)| start);
        let start = (first + busiest as u32) * WINDOW_S;
        let crowd = start..start + length as u32 * WINDOW_S;
        self.swarm(BOTNET_KEYS, |over, second| if crowd.contains(&second) { f64::from(over.honest[second as usize]) } else { 0.0 });
    }

    fn capture(&mut self) {
        for (series, hostile) in self.workload.series.iter().zip(&mut self.hostile) {
            *hostile = series.node == self.entrance;
        }
        self.captured = Some(self.entrance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six keys at two nodes, one request a second each, 4 windows of which 2 are scored.
    fn honest() -> Workload {
        let series: Vec<Series> = (0..6).map(|bucket| Series { node: bucket % 2, bucket }).collect();
        let rows = (0..120).flat_map(|second| (0..6).map(move |series| Demand { second, series, requests: 1, errors: 0, bytes_mean: 0.0 }));
        Workload { start: 0, windows: 4, fit_windows: 2, nodes: 2, buckets: 6, series, rows: rows.collect() }
    }

    fn asked(over: &Overlaid, seconds: std::ops::Range<u32>) -> u64 {
        let hostile = over.workload.rows.iter().filter(|r| seconds.contains(&r.second) && over.hostile[r.series as usize]);
        hostile.map(|r| u64::from(r.requests)).sum()
    }

    #[test]
    fn honest_demand_stays_and_rows_stay_in_order() {
        for attack in Attack::ALL {
            let over = overlay(&honest(), attack).unwrap();
            assert!(over.workload.rows.is_sorted_by_key(|r| r.second), "{attack:?}");
            assert_eq!(over.hostile.len(), over.workload.series.len());
            let kept = over.workload.rows.iter().filter(|r| !over.hostile[r.series as usize]).count();
            let turned = over.hostile[..6].iter().filter(|h| **h).count();
            assert_eq!(kept, 120 * (6 - turned), "{attack:?}");
        }
    }

    #[test]
    fn volumes_are_what_is_declared() {
        let volume = |attack| asked(&overlay(&honest(), attack).unwrap(), 60..120);
        // The mean is 6 a second.
        assert_eq!(volume(Attack::Hog), 60 * 100);
        assert_eq!(volume(Attack::Swarm), 60 * 30);
        assert_eq!(volume(Attack::Pulse), 30 * 60);
        assert_eq!(volume(Attack::Botnet), 60 * 6);
        assert!((1700..1800).contains(&volume(Attack::Poison)), "half of 10 x the mean: {}", volume(Attack::Poison));
        assert_eq!(asked(&overlay(&honest(), Attack::Learner).unwrap(), 0..60), 36, "a tenth of the mean while it behaves");
    }

    #[test]
    fn an_attack_that_a_trace_cannot_have_is_left_out() {
        let mut single = honest();
        single.series.truncate(1);
        single.rows.retain(|r| r.series == 0);
        (single.nodes, single.buckets) = (1, 1);
        assert!(overlay(&single, Attack::Hog).is_none());
        assert!(overlay(&single, Attack::Forged).is_none());
    }
}
