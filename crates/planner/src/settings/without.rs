//! Parts of the planner that a measurement leaves out, to see what each is worth.

/// What is left out; nothing by default. It cannot be configured: a service runs the whole planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Without {
    /// Every step is expected to bring what the last window brought: neither model nor averages.
    pub forecast: bool,
    /// Uncertainty stays as it is first assumed: no threshold and no reach of demand is learned from how often it was exceeded.
    pub calibration: bool,
    /// A table is taken to be enforced as soon as it is issued.
    pub horizon: bool,
    /// Demand is what was offered, also where clients were throttled.
    pub censoring: bool,
}
