//! Telemetry as protobuf (`application/x-protobuf`), described in `contracts/telemetry.proto`.

use prost::Message;

use crate::{telemetry, time::Timestamp};

/// Media type of a protobuf telemetry body.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// See [`telemetry::Telemetry`].
#[derive(Clone, PartialEq, Message)]
pub struct Telemetry {
    /// Version of the contract; 1 when left out.
    #[prost(uint32, optional, tag = "1")]
    pub version: Option<u32>,
    /// The reports.
    #[prost(message, repeated, tag = "2")]
    pub reports: Vec<Report>,
}

/// See [`telemetry::Report`].
#[derive(Clone, PartialEq, Message)]
pub struct Report {
    /// Edge node.
    #[prost(string, tag = "1")]
    pub node: String,
    /// Process or isolate of the node.
    #[prost(string, optional, tag = "2")]
    pub instance: Option<String>,
    /// Number of this report.
    #[prost(uint64, tag = "3")]
    pub sequence: u64,
    /// Epoch enforced.
    #[prost(uint64, optional, tag = "4")]
    pub epoch: Option<u64>,
    /// Start of the window, milliseconds since the Unix epoch.
    #[prost(int64, tag = "5")]
    pub start_ms: i64,
    /// Length of the window in seconds.
    #[prost(uint32, tag = "6")]
    pub seconds: u32,
    /// Share of the processors in use.
    #[prost(double, optional, tag = "7")]
    pub cpu: Option<f64>,
    /// Share of the memory in use.
    #[prost(double, optional, tag = "8")]
    pub memory: Option<f64>,
    /// Counts per bucket.
    #[prost(message, repeated, tag = "9")]
    pub buckets: Vec<BucketCounts>,
    /// Milliseconds from the table's issue until it was enforced.
    #[prost(uint64, optional, tag = "10")]
    pub staleness_ms: Option<u64>,
}

/// See [`telemetry::BucketCounts`].
#[derive(Clone, PartialEq, Message)]
pub struct BucketCounts {
    /// Bucket.
    #[prost(string, tag = "1")]
    pub bucket: String,
    /// Requests offered.
    #[prost(uint64, tag = "2")]
    pub requests: u64,
    /// Requests refused.
    #[prost(uint64, tag = "3")]
    pub throttled: u64,
    /// Requests marked as retries.
    #[prost(uint64, tag = "4")]
    pub retries: u64,
    /// Requests that failed at the origin.
    #[prost(uint64, tag = "5")]
    pub errors: u64,
    /// Payload in bytes.
    #[prost(uint64, tag = "6")]
    pub bytes: u64,
    /// Busiest second.
    #[prost(double, optional, tag = "7")]
    pub peak_per_s: Option<f64>,
}

impl From<Telemetry> for telemetry::Telemetry {
    fn from(t: Telemetry) -> Self {
        Self { version: t.version, reports: t.reports.into_iter().map(Into::into).collect() }
    }
}

impl From<Report> for telemetry::Report {
    fn from(r: Report) -> Self {
        Self {
            node: r.node,
            instance: r.instance,
            sequence: r.sequence,
            epoch: r.epoch,
            staleness_ms: r.staleness_ms,
            start: Timestamp::from_millis(r.start_ms),
            seconds: r.seconds,
            cpu: r.cpu,
            memory: r.memory,
            buckets: r.buckets.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<BucketCounts> for telemetry::BucketCounts {
    fn from(b: BucketCounts) -> Self {
        Self {
            bucket: b.bucket,
            requests: b.requests,
            throttled: b.throttled,
            retries: b.retries,
            errors: b.errors,
            bytes: b.bytes,
            peak_per_s: b.peak_per_s,
        }
    }
}

impl From<&telemetry::Telemetry> for Telemetry {
    fn from(t: &telemetry::Telemetry) -> Self {
        Self { version: t.version, reports: t.reports.iter().map(Into::into).collect() }
    }
}

impl From<&telemetry::Report> for Report {
    fn from(r: &telemetry::Report) -> Self {
        Self {
            node: r.node.clone(),
            instance: r.instance.clone(),
            sequence: r.sequence,
            epoch: r.epoch,
            start_ms: r.start.as_millis(),
            seconds: r.seconds,
            cpu: r.cpu,
            memory: r.memory,
            buckets: r.buckets.iter().map(Into::into).collect(),
            staleness_ms: r.staleness_ms,
        }
    }
}

impl From<&telemetry::BucketCounts> for BucketCounts {
    fn from(b: &telemetry::BucketCounts) -> Self {
        Self {
            bucket: b.bucket.clone(),
            requests: b.requests,
            throttled: b.throttled,
            retries: b.retries,
            errors: b.errors,
            bytes: b.bytes,
            peak_per_s: b.peak_per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protobuf_and_json_carry_the_same_report() {
        let json = telemetry::Telemetry {
            version: Some(1),
            reports: vec![telemetry::Report {
                node: "cf-fra".into(),
                instance: None,
                sequence: 7,
                epoch: Some(3),
                staleness_ms: Some(1_500),
                start: Timestamp::from_secs(1_763_755_200),
                seconds: 30,
                cpu: Some(0.5),
                memory: None,
                buckets: vec![telemetry::BucketCounts { bucket: "key:1".into(), requests: 9, throttled: 2, ..Default::default() }],
            }],
        };
        let bytes = Telemetry::from(&json).encode_to_vec();
        let back: telemetry::Telemetry = Telemetry::decode(&bytes[..]).unwrap().into();
        assert_eq!(back, json);
    }

    /// `message name type tag` of every field, as this file declares them.
    fn declared_here() -> Vec<String> {
        let (mut message, mut kind, mut fields) = ("", String::new(), vec![]);
        for line in include_str!("proto.rs").lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("pub struct ") {
                message = name.trim_end_matches(" {");
            } else if let Some(attribute) = line.strip_prefix("#[prost(") {
                kind = attribute.trim_end_matches(")]").to_owned();
            } else if let (Some(field), false) = (line.strip_prefix("pub "), kind.is_empty()) {
                let (name, of) = field.trim_end_matches(',').split_once(": ").unwrap();
                let (form, tag) = kind.rsplit_once(", tag = ").unwrap();
                let of = of.trim_start_matches("Vec<").trim_end_matches('>');
                let form = match form.split_once(", ") {
                    Some(("message", "repeated")) => format!("repeated {of}"),
                    Some((scalar, "optional")) => format!("optional {scalar}"),
                    _ => form.to_owned(),
                };
                fields.push(format!("{message} {name} {form} {}", tag.trim_matches('"')));
                kind.clear();
            }
        }
        fields
    }

    /// The same of the contract.
    fn declared_there() -> Vec<String> {
        let (mut message, mut fields) = ("", vec![]);
        for line in include_str!("../../../contracts/telemetry.proto").lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("message ") {
                message = name.trim_end_matches(" {");
            } else if let (Some((left, tag)), false) = (line.trim_end_matches(';').split_once(" = "), message.is_empty()) {
                let (form, name) = left.rsplit_once(' ').unwrap();
                fields.push(format!("{message} {name} {form} {tag}"));
            }
        }
        fields
    }

    #[test]
    fn the_contract_declares_the_same_fields() {
        assert_eq!(declared_here().len(), 19);
        assert_eq!(declared_here(), declared_there());
    }
}
