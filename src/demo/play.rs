//! A run: window by window, the same requests under leased rates and under the static limit.

use std::{future::Future, io, pin::pin};

use tidegate_edge_node::Taken;
use tidegate_wire::Timestamp;
use tokio::time::{Duration, Instant, sleep_until};

use super::{
    args::Args,
    edge::{Edge, LeasedEdge},
    fixed::{self, Origin},
    score::{Tally, Verdict, Watch},
    screen::{Frame, NodeLine, Screen},
    service::{Overview, Service},
    traffic::{Traffic, WINDOW_S},
};

/// Capacity of the origin over the mean demand of the run.
const CAPACITY: f64 = 1.5;
/// Burst of the origin, in seconds of its capacity.
const BURST_S: f64 = 120.0;
/// Most of the origin that one bucket of the seeded workload may borrow at a node.
const CEILING: f64 = 0.12;
/// Seconds into a window at which nodes ask for their rates: the plan from the window before has been published by then.
const POLL_AT_S: u32 = 5;

/// Plays a demo and writes to `out` what a person sees of it. `None` when `interrupted` ended it early. Nothing is left behind
/// either way.
///
/// # Errors
/// The trace cannot be read, the address cannot be listened on, or the service does not do what it should.
pub async fn run(
    args: &Args,
    out: impl io::Write,
    is_terminal: bool,
    interrupted: impl Future<Output = ()>,
) -> anyhow::Result<Option<Verdict>> {
    let traffic = Traffic::of(args)?;
    let origin = origin(&traffic, args.trace.is_some());
    let mut service = Service::start(args.listen, origin, traffic.start).await?;
    let mut screen = Screen::new(out, is_terminal, traffic.windows, WINDOW_S);
    let mut interrupted = pin!(interrupted);
    let played = tokio::select! {
        biased;
        () = &mut interrupted => Ok(None),
        played = play(args, &traffic, origin, &mut service, &mut screen) => played.map(Some),
    };
    if let (Ok(Some(_)), true) = (&played, args.keep_serving) {
        screen.say(&format!("serving on at {}/ until Ctrl-C", service.base()))?;
        interrupted.await;
    }
    let stopped = service.stop().await;
    let verdict = played?;
    stopped?;
    Ok(verdict)
}

fn origin(traffic: &Traffic, is_trace: bool) -> Origin {
    let sustained_per_s = (CAPACITY * traffic.mean_per_s()).max(1.0);
    let burst = BURST_S * sustained_per_s;
    // Nothing is known of the clients of a trace, so nothing is held against them.
    let ceiling_per_s = if is_trace { sustained_per_s + burst / f64::from(WINDOW_S) } else { CEILING * sustained_per_s };
    Origin { sustained_per_s, burst, ceiling_per_s }
}

async fn play(
    args: &Args,
    traffic: &Traffic,
    origin: Origin,
    service: &mut Service,
    screen: &mut Screen<impl io::Write>,
) -> anyhow::Result<Verdict> {
    let began = Instant::now();
    let mut run = Run::new(traffic, origin, service)?;
    screen.say(&format!(
        "serving at {}/ : {} nodes share {:.1} requests/s and a burst of {:.0}; demand is {:.1}/s on average",
        service.base(),
        traffic.nodes.len(),
        origin.sustained_per_s,
        origin.burst,
        traffic.mean_per_s()
    ))?;
    let mut is_leased = false;
    for window in 0..traffic.windows {
        let frame = run.window(window, service).await?;
        if let (false, Some((node, rate))) = (is_leased, run.lease()) {
            is_leased = true;
            let after_s = began.elapsed().as_secs_f64();
            let by = run.overview.forecaster();
            screen.say(&format!("first leased rate after {after_s:.1} s: {rate:.1}/s for {node}, forecast by {by}"))?;
        }
        screen.show(&frame)?;
        let due = args.seconds * f64::from(window + 1) / f64::from(traffic.windows);
        sleep_until(began + Duration::from_secs_f64(due)).await;
    }
    let verdict = run.verdict();
    screen.say(&verdict.to_string())?;
    Ok(verdict)
}

/// State of a run.
struct Run<'a> {
    traffic: &'a Traffic,
    origin: Origin,
    leased: Vec<LeasedEdge>,
    fixed: Vec<Edge>,
    totals: (Tally, Tally),
    watch: Watch,
    /// What the service saw at the end of the last window.
    overview: Overview,
    now: Timestamp,
}

impl<'a> Run<'a> {
    fn new(traffic: &'a Traffic, origin: Origin, service: &Service) -> anyhow::Result<Self> {
        let now = traffic.start;
        let edges = |tables: Vec<_>| -> anyhow::Result<Vec<Edge>> { tables.iter().map(|t| Edge::new(t, &traffic.buckets, now)).collect() };
        let (base, client) = (service.base(), service.client());
        let opening = edges(fixed::opening(traffic, origin))?;
        Ok(Self {
            traffic,
            origin,
            leased: opening.into_iter().map(|edge| LeasedEdge::new(edge, client.clone(), &base)).collect(),
            fixed: edges(fixed::in_hindsight(traffic, origin))?,
            totals: Default::default(),
            watch: Watch::new(origin),
            overview: Overview::default(),
            now,
        })
    }

    /// Plays one window and lets the service plan from it.
    async fn window(&mut self, window: u32, service: &mut Service) -> anyhow::Result<Frame> {
        let first = window * WINDOW_S;
        let start = self.traffic.start.plus_secs(i64::from(first));
        let mut tallies = vec![Tally::default(); self.traffic.nodes.len()];
        for second in 0..WINDOW_S {
            self.now = start.plus_secs(i64::from(second));
            if second == POLL_AT_S {
                service.set_time(self.now);
                for edge in &mut self.leased {
                    edge.poll(self.now).await?;
                }
            }
            self.second(first + second, &mut tallies);
        }
        let end = start.plus_secs(i64::from(WINDOW_S));
        service.set_time(end);
        for edge in &mut self.leased {
            edge.report(start).await?;
        }
        let expected = std::mem::replace(&mut self.overview, service.plan(end).await?);
        Ok(self.frame(window + 1, end, &tallies, &expected))
    }

    fn second(&mut self, second: u32, tallies: &mut [Tally]) {
        let mut admitted = 0;
        for arrival in self.traffic.second(second) {
            let is_abuse = self.traffic.abuse[arrival.bucket];
            let taken: Taken = self.leased[arrival.node].edge.serve(arrival, self.now);
            admitted += taken.admitted;
            tallies[arrival.node].count(&taken, is_abuse);
            self.totals.1.count(&self.fixed[arrival.node].serve(arrival, self.now), is_abuse);
        }
        self.watch.second(admitted);
    }

    fn frame(&mut self, window: u32, end: Timestamp, tallies: &[Tally], expected: &Overview) -> Frame {
        let forecasts = expected.forecasts();
        let now = self.now;
        let line = |((name, edge), tally): ((&String, &mut LeasedEdge), &Tally)| NodeLine {
            name: name.clone(),
            tally: *tally,
            forecast: forecasts.get(name.as_str()).copied(),
            rate_per_s: edge.edge.refill_per_s(now),
        };
        let nodes = self.traffic.nodes.iter().zip(&mut self.leased).zip(tallies).map(line).collect();
        tallies.iter().for_each(|t| self.totals.0.add(*t));
        Frame { window, end, nodes, totals: self.totals, epoch: self.overview.epoch }
    }

    /// The first node that enforces a lease, and its rate.
    fn lease(&mut self) -> Option<(&'a str, f64)> {
        let (now, traffic) = (self.now, self.traffic);
        let (name, edge) = traffic.nodes.iter().zip(&mut self.leased).find(|(_, edge)| edge.epoch().is_some())?;
        Some((name, edge.edge.refill_per_s(now)))
    }

    fn verdict(&self) -> Verdict {
        let (adaptive, fixed) = self.totals;
        let Origin { sustained_per_s, burst, .. } = self.origin;
        Verdict { adaptive, fixed, overloaded_s: self.watch.overloaded(), sustained_per_s, burst }
    }
}
