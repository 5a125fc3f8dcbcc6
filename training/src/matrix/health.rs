//! Windows that must not be learned from: what was asked for then is no sign of what will be.

use tidegate_planner::{settings::Guard, state::Store};

/// Requests in a window from which its share of errors says something.
const ENOUGH: f32 = 20.0;
/// Windows after which a series' own level of errors is known.
const KNOWN_AFTER: i64 = 2880;

/// Whether the window last closed is flagged for `row`: its node was exhausted, or it failed far more than it used to.
pub fn is_flagged(store: &Store, row: usize, guard: &Guard) -> bool {
    let c = &store.columns;
    let node = &store.nodes[c.node[row] as usize];
    if f64::from(node.cpu.max(node.memory)) >= guard.exhausted {
        return true;
    }
    let age = store.closed().unwrap_or(0) - c.born[row];
    let surge = f64::from(c.error_ratio[row] - c.error_baseline[row]);
    age >= KNOWN_AFTER && c.offered[row] >= ENOUGH && surge > guard.error_surge
}
