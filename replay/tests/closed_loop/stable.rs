//! The loop under the test signals of control theory, with clients who come back when they are refused.

use tidegate_replay::{
    signal::Signal,
    stability::{Response, respond},
};

const DELAYS_S: [u32; 4] = [0, 30, 60, 120];

fn responses(capacity_x: f64) -> Vec<Response> {
    let of = |signal| DELAYS_S.map(|delay_s| respond(signal, delay_s, capacity_x, None, 0).unwrap());
    Signal::ALL.into_iter().flat_map(of).collect()
}

#[test]
fn with_room_nothing_is_refused_at_rest_and_rates_neither_swing_nor_overshoot() {
    for response in responses(2.0) {
        let Response { signal, delay_s, overshoot, ripple, refused, served_after, .. } = response;
        let case = format!("{signal}, {delay_s} s: {overshoot} {ripple} {refused} {served_after}");
        assert!(refused < 0.001, "{case}");
        assert!(ripple < 0.12, "{case}");
        assert!(overshoot < 0.3, "who is refused and then admitted is counted twice, in two windows: {case}");
        assert!(served_after <= 4 + delay_s / 30, "nothing is refused after four intervals and the delay: {case}");
    }
}

#[test]
fn in_scarcity_leased_rates_sway_within_bounds_and_expectation_settles() {
    for response in responses(0.8) {
        let Response { signal, delay_s, overshoot, ripple, settled_after, .. } = response;
        let case = format!("{signal}, {delay_s} s: {overshoot} {ripple} {settled_after}");
        assert!(settled_after <= 4 + delay_s / 30, "after four intervals and the delay: {case}");
        assert!(overshoot < 0.1, "{case}");
        assert!(ripple < 0.08, "no wave remains: {case}");
    }
}
