//! Flags of `tidegate demo`.

use std::path::PathBuf;

/// Flags of `demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Windows of 30 simulated seconds to play, at most a day
    #[arg(long, value_name = "N", default_value_t = 240, value_parser = clap::value_parser!(u32).range(2..=2_880))]
    pub windows: u32,
    /// Least seconds that the run shall take, so that the table can be read; 0 plays as fast as the loop turns
    #[arg(long, value_name = "S", default_value_t = 20.0, value_parser = seconds)]
    pub seconds: f64,
    /// Trace (parquet) to play instead of the seeded workload: its busiest stretch of that many windows
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Address and port to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// Seed of the workload
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Go on serving after the verdict, until Ctrl-C, so that the dashboard can be looked at
    #[arg(long)]
    pub keep_serving: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let parsed: Result<f64, _> = text.parse();
    parsed
        .ok()
        .filter(|s| (0.0..=86_400.0).contains(s))
        .ok_or_else(|| "a number of seconds from 0 to 86400 is needed, for example 20".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn flags_out_of_range_are_refused() {
        let parse = |flags: &[&str]| Line::try_parse_from(["demo"].iter().chain(flags));
        assert_eq!(parse(&[]).map(|l| (l.args.windows, l.args.seed)).ok(), Some((240, 1)));
        for bad in [["--windows", "1"], ["--seconds", "-1"], ["--seconds", "NaN"], ["--listen", "here"]] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}
