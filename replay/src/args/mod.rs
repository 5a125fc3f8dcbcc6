//! The command line.

mod abuse;
mod arrivals;
mod bench;
mod cold;
mod compare;
mod fairness;
mod forecast;
mod model;
mod setting;
mod stability;

use clap::{Parser, Subcommand};

pub use abuse::Abuse;
pub use arrivals::Arrivals;
pub use bench::Bench;
pub use cold::Cold;
pub use compare::Compare;
pub use fairness::Fairness;
pub use forecast::Forecast;
pub use model::ModelChoice;
pub use setting::Setting;
pub use stability::Stability;

/// Replays request traces against schemes that share out an origin's capacity over edge nodes.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compares schemes at the same total tokens and the same total burst.
    ///
    /// Nodes enforce with the real bucket and report every 30 s window to the contender, whose rate tables reach them after
    /// --delay seconds at their next poll. Contenders learn from the first part of a trace (--fit) and are scored on the rest.
    ///
    /// Scores: throttled_share, of the demand; refused_within_share, of the demand: refused to buckets that in that window
    /// stayed within their max-min fair share; overload_share, of the time: more had been admitted than the origin's sustained
    /// capacity and burst allow; leased_per_served: tokens leased per request served; regret: throttled_share less that of
    /// `central`, one bucket that sees everything. The exit code is 1 when a contender leased more than the origin has.
    Compare(Box<Compare>),
    /// Runs every contender over every trace, on a grid of capacities, nodes and delays, and says what it comes to.
    ///
    /// A trace keeps its own nodes where it has several; the buckets of the others are spread over each number of --nodes by a
    /// hash of their names, single requests where there are fewer than two buckets per node. The planner without one of its parts
    /// runs at 4 nodes (or the trace's own) and 30 s only. Contenders learn from the first part of a trace and are scored on the
    /// rest. A trace that cannot be scored is named with the reason, and the rest goes on.
    ///
    /// The exit code is 1 when a contender leased more than the origin has; targets that are missed are counted in the summary.
    Bench(Box<Bench>),
    /// Scores the first windows of schemes that know nothing, from several starting points of each trace.
    ///
    /// Before its first lease a node has an even share of rate and burst, which is what static-pool keeps. Shares are means over the
    /// starting points; the capacity is a multiple of the mean demand of all windows that follow one. A starting point at which
    /// nothing is asked for in these windows is left out.
    Cold(Cold),
    /// Says how often demand stayed within the planner's 50, 90 and 99 % quantiles, and writes forecasts out.
    ///
    /// A trace keeps its own nodes; every window is reported, and nothing is throttled. Coverage is over all series, node totals
    /// included, in the part after --fit: of requests plus a uniform number from 0 to 1, because of mostly zeros no whole number is
    /// not exceeded in just 90 % of the windows; columns marked `whole` are of the requests alone. Columns of time are processor
    /// time of a whole tick. With --out, a few series are written with their forecasts, so that others can be scored on
    /// the same: replay/peers does.
    Forecast(Box<Forecast>),
    /// Lays synthetic attacks over traces and says what each gains and costs, contender by contender.
    ///
    /// Beyond its share: what the attacker's keys were admitted above their max-min fair shares, over the origin's sustained
    /// capacity, less what they were without the attack. Extra: how much more of the honest demand is refused than without the
    /// attack; within fair shares, how much more of what honest keys ask for within theirs.
    Abuse(Box<Abuse>),
    /// Prints the requests of a trace one by one, on a clock that is compressed so that they come at --rate: for load tests.
    ///
    /// The first line of JSON says how many seconds of the trace pass in one second (factor) and where it starts; each further line is a
    /// request: its time in milliseconds, the node that it arrives at, and its bucket, the busiest being 0.
    Arrivals(Arrivals),
    /// Gives the busiest buckets of a trace priorities, weights and one of them a limit over all nodes, and says what each kind got.
    ///
    /// Of every five buckets one is of priority 200; the other four, of priority 100, weigh 1, 1, 2 and 4. The busiest is
    /// limited to half of its mean demand, over all nodes together. Every request arrives at a random node. The fair share of a
    /// bucket is weighted max-min of what the higher priority leaves, over the whole scored part; Jain's index is of what each
    /// bucket got over its share. All is shown under the policies and, beside it, without any.
    Fairness(Box<Fairness>),
    /// Drives the closed loop with a step, a ramp, an impulse and a square wave, and says how it comes to rest.
    Stability(Box<Stability>),
}

fn is_positive(x: f64) -> bool {
    x.is_finite() && x > 0.0
}
