//! One take of one token from a bucket that all threads share, beside other limiters and beside a bare atomic addition.
//!
//! `cargo bench -p tidegate-token-bucket --bench take` prints, for each case and number of threads, the nanoseconds of a take and
//! how many times as long the others take. Rounds of all contenders are interleaved, so that what else runs on the machine hits
//! all alike; a figure is the median of its rounds. Time is given, not measured: reading a clock costs more than any of this.

mod contenders;

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use contenders::{Bare, Case, Governed, Limiter, Locked, Node, TIME};
use tidegate_token_bucket::TokenBucket;

const ROUNDS: usize = 21;
/// Takes in a round of a single thread: few enough that others on the machine seldom come between.
const TAKES_ALONE: u64 = 500_000;
/// Takes of each of several threads: enough for them to meet, also where others keep one of them waiting.
const TAKES_TOGETHER: u64 = 2_000_000;
/// Time that passes between two takes of a thread.
const STEP_NS: u64 = 1_000;

fn main() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores; ns per take, and times as long as tidegate's");
    let names = ["tidegate", "fetch_add", "governor", "mutex", "two-level"];
    println!("{:>9} {:>8} {:>10} {:>11} {:>11} {:>11} {:>11}", "case", "threads", names[0], names[1], names[2], names[3], names[4]);
    for case in Case::ALL {
        for threads in (0..).map(|k| 1 << k).take_while(|t| *t <= 2 * cores) {
            let [ours, others @ ..] = compare(&case, threads);
            print!("{:>9} {threads:>8} {ours:>8.1}ns", case.name);
            others.iter().for_each(|ns| print!(" {:>10.2}x", ns / ours));
            println!();
        }
    }
}

/// Median nanoseconds of a take: the bucket, then the others in the order of the columns.
fn compare(case: &Case, threads: usize) -> [f64; 5] {
    let mut rounds = [(); 5].map(|()| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        let bucket = TokenBucket::new(case.refill_per_s, case.capacity, case.tokens, 0);
        rounds[0].push(round(&bucket, threads));
        rounds[1].push(round(&Bare::default(), threads));
        rounds[2].push(round(&Governed::new(case), threads));
        rounds[3].push(round(&Locked::new(case), threads));
        rounds[4].push(round(&Node::new(case), threads));
    }
    rounds.map(|mut ns| {
        ns.sort_unstable_by(f64::total_cmp);
        ns[ROUNDS / 2]
    })
}

/// Nanoseconds of a take when `threads` take at once.
fn round(limiter: &impl Limiter, threads: usize) -> f64 {
    let start = Barrier::new(threads);
    let takes = if threads == 1 { TAKES_ALONE } else { TAKES_TOGETHER };
    let one = || {
        start.wait();
        let start = Instant::now();
        for i in 1..takes + 1 {
            TIME.set(i * STEP_NS);
            black_box(limiter.take());
        }
        start.elapsed()
    };
    let longest = thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        // A take does not panic; were one to, its time would count as none.
        all.into_iter().filter_map(|thread| thread.join().ok()).max().unwrap_or(Duration::ZERO)
    });
    longest.as_secs_f64() * 1e9 / takes as f64
}
