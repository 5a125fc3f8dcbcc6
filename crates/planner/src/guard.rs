//! The model proposes, hard rules dispose.

use crate::settings::Guard;

/// The rule that bound a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Rule {
    /// The table's default serves the bucket.
    #[default]
    Default,
    /// None: the forecast's own rate.
    Forecast,
    /// The policy's floor.
    Floor,
    /// The policy's ceiling.
    Ceiling,
    /// Largest growth per tick.
    StepUp,
    /// Largest shrinking per tick.
    StepDown,
    /// Too small a change.
    DeadBand,
    /// No raise while the origin fails, the node is exhausted or errors surge.
    Unhealthy,
    /// The origin's capacity.
    Capacity,
}

const NAMES: [&str; 9] = ["default", "forecast", "floor", "ceiling", "step-up", "step-down", "dead-band", "unhealthy", "capacity"];

impl Rule {
    /// Its name in explanations.
    pub fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// The name of the rule kept as `code` in a column.
    pub fn name_of(code: u8) -> &'static str {
        NAMES.get(code as usize).copied().unwrap_or(NAMES[0])
    }
}

/// What the guard knows of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Rate in the last plan, tokens per second.
    pub previous: f64,
    /// Policy's floor, tokens per second.
    pub floor: f64,
    /// Policy's ceiling, tokens per second.
    pub ceiling: f64,
    /// Whether a raise is allowed.
    pub healthy: bool,
    /// Whether capacity cut the proposal.
    pub scarce: bool,
}

/// The rate that may be leased in place of `proposed`, tokens per second, and the rule that bound it.
///
/// Whatever comes in, the result is finite and between floor and ceiling.
pub fn dispose(guard: &Guard, proposed: f64, c: Context) -> (f64, Rule) {
    let ceiling = if c.ceiling.is_nan() { 0.0 } else { c.ceiling.max(0.0) };
    let floor = if c.floor.is_finite() { c.floor.clamp(0.0, ceiling) } else { 0.0 };
    let mut rate = if proposed.is_finite() { proposed.max(0.0) } else { floor };
    let mut rule = if c.scarce { Rule::Capacity } else { Rule::Forecast };
    let previous = if c.previous.is_finite() { c.previous.max(0.0) } else { 0.0 };
    if rate > previous && !c.healthy {
        (rate, rule) = (previous, Rule::Unhealthy);
    } else if previous > 0.0 && rate > previous * guard.step_up {
        (rate, rule) = (previous * guard.step_up, Rule::StepUp);
    } else if rate < previous / guard.step_down {
        (rate, rule) = (previous / guard.step_down, Rule::StepDown);
    } else if previous > 0.0 && (rate / previous - 1.0).abs() < guard.dead_band {
        (rate, rule) = (previous, Rule::DeadBand);
    }
    if rate < floor {
        (rate, rule) = (floor, Rule::Floor);
    }
    if rate > ceiling {
        (rate, rule) = (ceiling, Rule::Ceiling);
    }
    (rate, rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Context = Context { previous: 10.0, floor: 1.0, ceiling: 100.0, healthy: true, scarce: false };

    #[test]
    fn each_rule_binds_where_it_should() {
        let g = Guard::default();
        assert_eq!(dispose(&g, 20.0, CALM), (20.0, Rule::Forecast));
        assert_eq!(dispose(&g, 90.0, CALM), (40.0, Rule::StepUp));
        assert_eq!(dispose(&g, 0.0, CALM), (2.5, Rule::StepDown));
        assert_eq!(dispose(&g, 10.2, CALM), (10.0, Rule::DeadBand));
        assert_eq!(dispose(&g, 20.0, Context { healthy: false, ..CALM }), (10.0, Rule::Unhealthy));
        assert_eq!(dispose(&g, 5.0, Context { healthy: false, ..CALM }), (5.0, Rule::Forecast), "a cut is always allowed");
        assert_eq!(dispose(&g, 0.0, Context { previous: 0.0, ..CALM }), (1.0, Rule::Floor));
        assert_eq!(dispose(&g, 200.0, Context { previous: 90.0, ..CALM }), (100.0, Rule::Ceiling));
        assert_eq!(dispose(&g, 20.0, Context { scarce: true, ..CALM }), (20.0, Rule::Capacity));
    }

    #[test]
    fn nothing_but_a_number_in_range_comes_out() {
        let g = Guard::default();
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e300];
        for (p, q) in odd.iter().flat_map(|p| odd.iter().map(move |q| (*p, *q))) {
            for (floor, ceiling) in [(0.0, 50.0), (f64::NAN, 50.0), (60.0, 50.0)] {
                let (rate, _) = dispose(&g, p, Context { previous: q, floor, ceiling, healthy: true, scarce: false });
                assert!((0.0..=50.0).contains(&rate), "{p} {q} {floor}: {rate}");
            }
        }
    }
}
