//! The cases of the first sketch of the idea, so that its figures can be set beside these.

use crate::{compare::Options, kv::Staleness, spread::Spread, workload::Cut};

/// Buckets that the sketch kept of each trace.
const BUSIEST: [(&str, usize); 8] = [
    ("memasik_api_routes", 80),
    ("memasik_api_clients", 150),
    ("gov_portal", 50),
    ("edge_host_zeek", 150),
    ("github_events_feb", 80),
    ("wrccdc_net", 80),
    ("youtube_campus_sep", 150),
    ("wiki_edits", 51),
];
/// The same for any other trace.
const OTHERWISE: usize = 150;

/// `options` with the sketch's own for the trace named `trace`: its number of buckets, dealt out over 4 nodes in order of
/// requests, the first 6,000 windows, half of them to learn from. It reckons by whole windows: what comes in one may take all that was
/// saved, four windows' worth at most, and all that the window refills. To the second, that is a burst of five windows and
/// requests that come when the refill is complete.
pub fn sketch(options: &Options, trace: &str) -> Options {
    let buckets = BUSIEST.iter().find(|(name, _)| *name == trace).map_or(OTHERWISE, |(_, buckets)| *buckets);
    Options {
        cut: Cut { buckets: Some(buckets), windows: Some(6000), fit: 0.5, gather: true },
        spread: Spread::Rank,
        nodes: 4,
        burst_seconds: 150.0,
        staleness: options.staleness.iter().map(|s| Staleness { poll_s: 0, ..*s }).collect(),
        ..options.clone()
    }
}
