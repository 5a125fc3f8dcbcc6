//! Synthetic traces for tests.

use tidegate_replay::{Case, Options, contender::Kind, kv::Staleness, spread::Spread, workload::Cut};
use tidegate_trace::Trace;

/// A trace of `(second, bucket, requests)`, of one node.
pub fn trace(rows: &[(u32, u32, u32)]) -> Trace {
    let buckets = rows.iter().map(|r| r.1 + 1).max().unwrap_or(0);
    Trace {
        start: 1_700_000_007,
        length: rows.iter().map(|r| r.0 + 1).max().unwrap_or(0),
        seconds: rows.iter().map(|r| r.0).collect(),
        nodes: vec![0; rows.len()],
        buckets: rows.iter().map(|r| r.1).collect(),
        requests: rows.iter().map(|r| r.2).collect(),
        bytes_mean: vec![f32::NAN; rows.len()],
        errors: vec![0; rows.len()],
        node_names: vec!["all".into()],
        bucket_names: (0..buckets).map(|b| format!("bucket {b}")).collect(),
    }
}

/// Twenty buckets, forty windows, a few requests in every second and a burst now and then.
pub fn busy() -> Trace {
    let mut rows = vec![];
    for second in 0..1200_u32 {
        for bucket in 0..20_u32 {
            // A multiplicative hash is random enough for traffic.
            let dice = (second * 31 + bucket).wrapping_mul(0x9e37_79b9) >> 24;
            match dice {
                0..=60 => rows.push((second, bucket, 1 + dice % 3)),
                61 => rows.push((second, bucket, 40)),
                _ => {}
            }
        }
    }
    trace(&rows)
}

/// Two nodes by rank, half of the trace to learn from, no delay.
pub fn options() -> Options {
    Options {
        cut: Cut { buckets: None, windows: None, fit: 0.5, gather: false },
        spread: Spread::Rank,
        nodes: 2,
        capacities: vec![1.5],
        burst_seconds: 120.0,
        staleness: vec![Staleness::default()],
        contenders: Kind::ALL.to_vec(),
        seed: 0,
    }
}

pub fn case(trace: &Trace, options: Options) -> Case {
    Case::new("test", trace, options).unwrap()
}
