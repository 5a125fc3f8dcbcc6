//! How little is known of a node that has not been seen for long.

/// Windows of its own after which a node's past weighs as much as what is true of all nodes: ten minutes.
const PRIOR_WINDOWS: f64 = 20.0;

/// Weight of what is true of all nodes beside what a node has shown in so many `windows`: 1 at first, then falling towards 0, as the
/// weight of a prior does.
pub fn doubt(windows: u32) -> f64 {
    PRIOR_WINDOWS / (PRIOR_WINDOWS + f64::from(windows))
}
