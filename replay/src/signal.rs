//! Test signals of control theory, as demand of one node over time. All of it is synthetic.

/// The shape of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Signal {
    /// Three times as much from one moment on.
    Step,
    /// Up to three times as much, evenly over ten windows.
    Ramp,
    /// Ten times as much for one window.
    Impulse,
    /// Three times as much for ten windows, back for ten, and so on, for three periods.
    Square,
}

/// Windows before anything happens.
pub const CALM: u32 = 120;
/// Windows of one half of a square wave's period, and of a ramp.
pub const HALF_PERIOD: u32 = 10;
const PERIODS: u32 = 3;

impl Signal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Step, Self::Ramp, Self::Impulse, Self::Square];

    /// Name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Ramp => "ramp",
            Self::Impulse => "impulse",
            Self::Square => "square",
        }
    }

    /// Demand in `window`, as a multiple of what it is in the calm.
    pub fn at(self, window: u32) -> f64 {
        let Some(since) = window.checked_sub(CALM) else { return 1.0 };
        match self {
            Self::Step => 3.0,
            Self::Ramp => 1.0 + 2.0 * (f64::from(since + 1) / f64::from(HALF_PERIOD)).min(1.0),
            Self::Impulse if since == 0 => 10.0,
            Self::Square if since < 2 * PERIODS * HALF_PERIOD && (since / HALF_PERIOD).is_multiple_of(2) => 3.0,
            Self::Impulse | Self::Square => 1.0,
        }
    }

    /// The window from which demand no longer changes.
    pub fn rests_from(self) -> u32 {
        match self {
            Self::Step => CALM,
            Self::Ramp => CALM + HALF_PERIOD - 1,
            Self::Impulse => CALM + 1,
            Self::Square => CALM + (2 * PERIODS - 1) * HALF_PERIOD,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_rests_where_it_says() {
        for signal in Signal::ALL {
            let rest = signal.rests_from();
            assert_ne!(signal.at(rest - 1), signal.at(rest), "{signal:?}");
            assert!((rest..rest + 200).all(|w| signal.at(w) == signal.at(rest)), "{signal:?}");
            assert!((0..CALM).all(|w| signal.at(w) == 1.0));
        }
    }
}
