//! The contenders by name.

use tidegate_planner::settings::Without;

use super::{
    Brief, Contender,
    adaptive::Adaptive,
    aimd::Aimd,
    doorman::{self, Doorman},
    fixed,
    forecasting::{Forecasting, Method},
    latency::{Latency, Law},
    reshape::Reshape,
};
use crate::CompareError;

/// A contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// Each bucket at each node its fixed share, by mean demand.
    StaticMean,
    /// Each bucket at each node its fixed share, by the 99th percentile of its windows.
    StaticP99,
    /// Two-level take with fixed shares: 60 % of the rate guaranteed to buckets, what they leave lent by the nodes' pools.
    StaticPool,
    /// Pools of the nodes by additive increase and multiplicative decrease.
    Aimd,
    /// Pools of the nodes by what the last window brought, with headroom.
    LastValue,
    /// Pools of the nodes by double exponential smoothing, with headroom.
    Holt,
    /// Pools of the nodes by doorman's ProportionalShare.
    DoormanProportional,
    /// Pools of the nodes by doorman's FairShare.
    DoormanFair,
    /// Pools of the nodes by Netflix's Gradient2 concurrency limit, turned into rates.
    Gradient2,
    /// Pools of the nodes by Envoy's adaptive concurrency, turned into rates.
    Envoy,
    /// The planner's pools without its guarantees: whoever comes first is served.
    PoolOnly,
    /// The planner.
    Adaptive,
    /// The planner, expecting that the last window repeats itself.
    NoForecast,
    /// The planner's guarantees without its pools: nothing is lent.
    NoPool,
    /// The planner, never learning how uncertain it is.
    NoCalibration,
    /// The planner, taking a table to be enforced as soon as it is issued.
    NoHorizon,
    /// The planner, taking demand as it was reported where clients were throttled.
    NoCensoring,
    /// One bucket in front of the origin that sees everything, without delay: the bound.
    Central,
}

impl Kind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 18] = [
        Self::StaticMean,
        Self::StaticP99,
        Self::StaticPool,
        Self::Aimd,
        Self::LastValue,
        Self::Holt,
        Self::DoormanProportional,
        Self::DoormanFair,
        Self::Gradient2,
        Self::Envoy,
        Self::PoolOnly,
        Self::Adaptive,
        Self::NoForecast,
        Self::NoPool,
        Self::NoCalibration,
        Self::NoHorizon,
        Self::NoCensoring,
        Self::Central,
    ];
    /// Those of a comparison that names none.
    pub const USUAL: [Self; 6] = [Self::StaticMean, Self::StaticP99, Self::StaticPool, Self::Aimd, Self::Adaptive, Self::Central];
    /// The planner without one of its parts.
    pub const ABLATIONS: [Self; 5] = [Self::NoForecast, Self::NoPool, Self::NoCalibration, Self::NoHorizon, Self::NoCensoring];

    /// Name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::StaticMean => "static-mean",
            Self::StaticP99 => "static-p99",
            Self::StaticPool => "static-pool",
            Self::Aimd => "aimd",
            Self::LastValue => "last-value",
            Self::Holt => "holt",
            Self::DoormanProportional => "doorman-proportional",
            Self::DoormanFair => "doorman-fair",
            Self::Gradient2 => "gradient2",
            Self::Envoy => "envoy",
            Self::PoolOnly => "pool-only",
            Self::Adaptive => "adaptive",
            Self::NoForecast => "no-forecast",
            Self::NoPool => "no-pool",
            Self::NoCalibration => "no-calibration",
            Self::NoHorizon => "no-horizon",
            Self::NoCensoring => "no-censoring",
            Self::Central => "central",
        }
    }

    /// Whether it is the planner without one of its parts.
    pub fn is_ablation(self) -> bool {
        Self::ABLATIONS.contains(&self)
    }

    /// Whether it publishes anything that could be late.
    pub fn feels_delay(self) -> bool {
        !matches!(self, Self::StaticMean | Self::StaticP99 | Self::StaticPool | Self::Central)
    }

    /// Whether it runs the planner, which learns from the part before the scored one and may use a model.
    pub fn plans(self) -> bool {
        matches!(self, Self::PoolOnly | Self::Adaptive) || self.is_ablation()
    }

    /// Makes the contender.
    ///
    /// # Errors
    /// [`CompareError::Settings`] when the planner refuses the case.
    pub fn enter(self, brief: &Brief) -> Result<Box<dyn Contender>, CompareError> {
        Ok(match self {
            Self::StaticMean => Box::new(fixed::per_bucket(brief, &brief.fit.by_mean)),
            Self::StaticP99 => Box::new(fixed::per_bucket(brief, &brief.fit.by_p99)),
            Self::StaticPool => Box::new(fixed::pooled(brief)),
            Self::Aimd => Box::new(Aimd::new(brief)),
            Self::LastValue => Box::new(Forecasting::new(brief, Method::LastValue)),
            Self::Holt => Box::new(Forecasting::new(brief, Method::Holt)),
            Self::DoormanProportional => Box::new(Doorman::new(brief, doorman::proportional)),
            Self::DoormanFair => Box::new(Doorman::new(brief, doorman::fair)),
            Self::Gradient2 => Box::new(Latency::new(brief, Law::Gradient2)),
            Self::Envoy => Box::new(Latency::new(brief, Law::Envoy)),
            Self::Central => Box::new(fixed::central(brief)),
            planner => Box::new(Adaptive::new(brief, planner.without(), planner.reshape())?),
        })
    }

    fn without(self) -> Without {
        Without {
            forecast: self == Self::NoForecast,
            calibration: self == Self::NoCalibration,
            horizon: self == Self::NoHorizon,
            censoring: self == Self::NoCensoring,
        }
    }

    fn reshape(self) -> Reshape {
        match self {
            Self::PoolOnly => Reshape::PoolOnly,
            Self::NoPool => Reshape::NoPool,
            _ => Reshape::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn names_are_those_of_the_command_line_and_all_are_listed() {
        assert_eq!(Kind::ALL, *Kind::value_variants());
        for kind in Kind::ALL {
            assert_eq!(kind.to_possible_value().map(|v| v.get_name().to_owned()).as_deref(), Some(kind.name()));
        }
    }
}
