//! Each attack beside the same case without it.

use tidegate_planner::{Model, settings::Policy};
use tidegate_wire::Timestamp;

use super::{
    capped::Capped,
    forge::Forged,
    overlay::{Attack, Overlaid, overlay},
};
use crate::{
    CompareError,
    contender::{Adaptive, Brief, Contender, Kind},
    fair::jain,
    fit::Fit,
    kv::Staleness,
    origin::Origin,
    simulate::{Outcome, simulate},
    workload::{WINDOW_S, Workload},
};

/// On what terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// All that may be leased.
    pub origin: Origin,
    /// Delay and poll of the store.
    pub staleness: Staleness,
    /// Who shares it out.
    pub contenders: Vec<Kind>,
    /// The attacks.
    pub attacks: Vec<Attack>,
    /// What every key may reach at one node at most, tokens per second, if a person has said so.
    pub ceiling_per_s: Option<f64>,
    /// Seed of the arrivals.
    pub seed: u64,
}

/// What an attack did under one contender. Shares are of 1.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Damage {
    /// The attack.
    pub attack: &'static str,
    /// The contender.
    pub contender: &'static str,
    /// Share of the honest demand that was refused without the attack.
    pub calm: f64,
    /// How much more of it was refused under attack.
    pub others_extra: f64,
    /// How much more of what honest keys asked for within their max-min fair shares was refused, of all they asked for within it.
    pub others_extra_within: f64,
    /// Jain's index over the honest keys of what each got of its fair shares, under attack.
    pub jain: f64,
    /// Share of the attacker's demand that was admitted.
    pub attacker_admitted: f64,
    /// What its keys were admitted beyond their max-min fair shares, less what they were without the attack, over the origin's
    /// sustained capacity.
    pub attacker_beyond: f64,
    /// Most that one of its keys was admitted at a node beyond its ceiling's refill and a window of it as burst, over that; guaranteed
    /// bursts come on top. `None` without a ceiling.
    pub attacker_over_ceiling: Option<f64>,
    /// Share of the time in which the origin was overloaded.
    pub overload: f64,
}

/// Runs every attack that `honest` allows for under every contender; what is looked at before the scored part is honest, but for
/// what an attack did then.
///
/// # Errors
/// [`CompareError::Settings`] when the planner refuses the case.
pub fn run(honest: &Workload, terms: &Terms, model: Option<&Model>, done: &dyn Fn(Attack, Kind)) -> Result<Vec<Damage>, CompareError> {
    let mut damages = vec![];
    for &attack in &terms.attacks {
        let Some(attacked) = overlay(honest, attack) else { continue };
        let calm = calmed(honest, &attacked);
        for &kind in &terms.contenders {
            let before = outcome(&calm, kind, terms, model)?;
            let after = outcome(&attacked, kind, terms, model)?;
            done(attack, kind);
            damages.push(damage((attack, kind), &attacked, &before, &after, terms));
        }
    }
    Ok(damages)
}

/// `attacked` without its attack: the same series, of which the attacker's new ones ask for nothing.
fn calmed(honest: &Workload, attacked: &Overlaid) -> Overlaid {
    let series = attacked.workload.series.clone();
    let workload = Workload { series, buckets: attacked.workload.buckets, ..honest.clone() };
    Overlaid { workload, captured: None, ..attacked.clone() }
}

fn outcome(over: &Overlaid, kind: Kind, terms: &Terms, model: Option<&Model>) -> Result<Outcome, CompareError> {
    let workload = &over.workload;
    let brief = Brief { workload, fit: &Fit::new(workload), origin: terms.origin, model };
    let begin = Timestamp::from_secs(workload.start + i64::from(workload.fit_windows * WINDOW_S));
    let honest: Box<dyn Contender> = match terms.ceiling_per_s {
        None => kind.enter(&brief)?,
        Some(_) if kind == Kind::Adaptive => {
            Box::new(Adaptive::under(&brief, vec![Policy { ceiling_per_s: terms.ceiling_per_s, ..Policy::default() }])?)
        }
        Some(ceiling_per_s) => Box::new(Capped::new(kind.enter(&brief)?, ceiling_per_s)),
    };
    let contender: Box<dyn Contender> = match over.captured {
        Some(node) => Box::new(Forged::new(honest, node, begin)),
        None => honest,
    };
    Ok(simulate(&brief, contender, terms.staleness, terms.seed, &|| ()))
}

fn damage((attack, kind): (Attack, Kind), over: &Overlaid, before: &Outcome, after: &Outcome, terms: &Terms) -> Damage {
    let refused = |o: &Outcome| 1.0 - served(over, o, false);
    let hostile = hostile_buckets(over);
    let missed = |o: &Outcome| {
        let honest = o.fair.iter().zip(&hostile).filter(|(_, hostile)| !**hostile);
        let (entitled, within) = honest.fold((0.0, 0.0), |(e, w), (f, _)| (e + f.entitled, w + f.within));
        (entitled - within) / f64::max(entitled, 1.0)
    };
    let beyond = |o: &Outcome| o.fair.iter().zip(&hostile).filter(|(_, hostile)| **hostile).map(|(f, _)| f.beyond).sum::<f64>();
    let asked = after.fair.iter().zip(&hostile).filter(|(f, hostile)| !**hostile && f.entitled > 0.0);
    let parts: Vec<f64> = asked.map(|(f, _)| f.within / f.entitled).collect();
    let scored_s = f64::from((over.workload.windows - over.workload.fit_windows) * WINDOW_S);
    let capacity = terms.origin.sustained_per_s * scored_s;
    Damage {
        attack: attack.name(),
        contender: kind.name(),
        calm: refused(before),
        others_extra: refused(after) - refused(before),
        others_extra_within: missed(after) - missed(before),
        jain: jain(&parts),
        attacker_admitted: served(over, after, true),
        attacker_beyond: (beyond(after) - beyond(before)) / capacity,
        attacker_over_ceiling: terms.ceiling_per_s.map(|ceiling| over_ceiling(over, after, ceiling * (scored_s + f64::from(WINDOW_S)))),
        overload: after.score.overload_share,
    }
}

/// Most that a hostile key was admitted at a node beyond `most`, over that.
fn over_ceiling(over: &Overlaid, outcome: &Outcome, most: f64) -> f64 {
    let hostile = outcome.served.iter().zip(&over.hostile).filter(|(_, hostile)| **hostile);
    hostile.map(|(served, _)| (served.admitted as f64 - most).max(0.0) / most).fold(0.0, f64::max)
}

/// Share of the demand of the hostile, or of the honest, series that was admitted.
fn served(over: &Overlaid, outcome: &Outcome, hostile: bool) -> f64 {
    let of = outcome.served.iter().zip(&over.hostile).filter(|(_, h)| **h == hostile);
    let (demand, admitted) = of.fold((0, 0), |(d, a), (s, _)| (d + s.demand, a + s.admitted));
    admitted as f64 / demand.max(1) as f64
}

/// The buckets that serve nobody but the attacker.
fn hostile_buckets(over: &Overlaid) -> Vec<bool> {
    let mut buckets = vec![true; over.workload.buckets];
    for (series, hostile) in over.workload.series.iter().zip(&over.hostile) {
        buckets[series.bucket] &= hostile;
    }
    buckets
}
