//! Attacks on a trace whose every second is known: what others lose, and what the attacker gets.

use tidegate_replay::{
    abuse::{Attack, Damage, Terms, run},
    contender::Kind,
    kv::Staleness,
    origin::Origin,
    workload::Workload,
};

use crate::traffic;

/// Sixteen keys at two nodes, two requests a second each for two hours, and 1.5 x as much capacity.
fn damage(attack: Attack, kind: Kind) -> Damage {
    damage_under(None, attack, kind)
}

fn damage_under(ceiling_per_s: Option<f64>, attack: Attack, kind: Kind) -> Damage {
    let rows: Vec<(u32, u32, u32)> = (0..7200).flat_map(|second| (0..16).map(move |bucket| (second, bucket, 2))).collect();
    let honest: Workload = traffic::case(&traffic::trace(&rows), traffic::options()).workload;
    let terms = Terms {
        origin: Origin { sustained_per_s: 48.0, burst: 48.0 * 120.0 },
        staleness: Staleness::fixed(30),
        contenders: vec![kind],
        attacks: vec![attack],
        ceiling_per_s,
        seed: 0,
    };
    run(&honest, &terms, None, &|_, _| ()).unwrap().remove(0)
}

#[test]
fn a_hog_takes_what_others_leave_and_no_more() {
    let planned = damage(Attack::Hog, Kind::Adaptive);
    assert!(planned.others_extra < 0.01 && planned.jain > 0.99, "{planned:?}");
    assert!(planned.attacker_admitted > 0.02, "what is left over need not go to waste: {planned:?}");
}

#[test]
fn keys_that_come_out_of_nowhere_cost_those_that_are_known_next_to_nothing() {
    let [planned, fixed] = [Kind::Adaptive, Kind::StaticPool].map(|kind| damage(Attack::Swarm, kind));
    assert!(planned.others_extra < 0.01 && fixed.others_extra > 0.05, "{planned:?} {fixed:?}");
}

#[test]
fn a_node_that_lies_does_not_get_the_origin() {
    let planned = damage(Attack::Forged, Kind::Adaptive);
    assert!(planned.others_extra < 0.01, "{planned:?}");
}

#[test]
fn a_control_that_believes_all_demand_opens_to_a_hog_and_a_fixed_share_does_not() {
    let [open, shut] = [Kind::DoormanProportional, Kind::StaticMean].map(|kind| damage(Attack::Hog, kind));
    assert!(open.others_extra > 0.3 && open.attacker_beyond > 0.1, "{open:?}");
    assert!(shut.others_extra < 1e-9 && shut.attacker_beyond < 1e-9, "{shut:?}");
}

#[test]
fn a_lie_moves_what_follows_demand_and_not_what_is_fixed() {
    let [open, shut] = [Kind::LastValue, Kind::StaticPool].map(|kind| damage(Attack::Forged, kind));
    assert!(open.others_extra > 0.3, "{open:?}");
    assert_eq!(shut.others_extra, 0.0, "{shut:?}");
}

#[test]
fn a_ceiling_is_all_that_an_attacker_gets_of_it() {
    for kind in [Kind::Adaptive, Kind::StaticPool] {
        for attack in [Attack::Hog, Attack::Poison, Attack::Pulse] {
            let got = damage_under(Some(4.0), attack, kind);
            assert!(got.attacker_over_ceiling.is_some_and(|over| over < 0.01), "{got:?}");
            assert!(got.others_extra < 0.01, "{got:?}");
        }
    }
}

#[test]
fn no_attack_overloads_the_origin() {
    for attack in [Attack::Hog, Attack::Poison, Attack::Learner, Attack::Pulse, Attack::Botnet, Attack::Forged] {
        let planned = damage(attack, Kind::Adaptive);
        assert_eq!(planned.overload, 0.0, "{planned:?}");
    }
}
