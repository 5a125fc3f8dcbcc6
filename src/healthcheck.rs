//! `tidegate healthcheck`: asks a running service whether it is alive. A container image holds no HTTP client to do it with.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Why the service is not taken to be alive.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// Nothing answers.
    #[error("nothing answers at {address}")]
    Silent {
        /// What was asked.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// It answers, but not that it is well.
    #[error("{address} answers {status:?} to GET /healthz")]
    Unwell {
        /// What was asked.
        address: SocketAddr,
        /// The status line.
        status: String,
    },
}

/// Asks `GET /healthz` of the service that listens on `listen`, for at most about two times `patience`.
///
/// # Errors
/// [`Unhealthy`] unless it answers 200.
pub fn ask(listen: SocketAddr, patience: Duration) -> Result<(), Unhealthy> {
    let address = reachable(listen);
    let status = status_of(address, patience).map_err(|source| Unhealthy::Silent { address, source })?;
    if status.split(' ').nth(1) == Some("200") {
        return Ok(());
    }
    Err(Unhealthy::Unwell { address, status })
}

/// Where a service that listens on every address of this machine is reached from it.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn status_of(address: SocketAddr, patience: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    Ok(status.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Answers one request with `status` and returns where.
    fn service(status: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // To its end: a connection closed with something unread is reset, and the answer may be lost with it.
            let request: Vec<String> = BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            assert_eq!(request[0], "GET /healthz HTTP/1.1");
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        });
        address
    }

    #[test]
    fn only_a_service_that_answers_200_is_alive() {
        assert!(ask(service("200 OK"), PATIENCE).is_ok());
        let error = ask(service("503 Service Unavailable"), PATIENCE).unwrap_err();
        assert!(error.to_string().ends_with("answers \"HTTP/1.1 503 Service Unavailable\" to GET /healthz"), "{error}");
        assert!(matches!(ask(service("2000 200"), PATIENCE), Err(Unhealthy::Unwell { .. })));
    }

    #[test]
    fn a_port_where_nobody_listens_is_not() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(ask(closed, PATIENCE), Err(Unhealthy::Silent { .. })));
    }

    #[test]
    fn a_service_on_every_address_is_reached_by_loopback() {
        for (listen, reached) in [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.7:80", "10.0.0.7:80")] {
            assert_eq!(reachable(listen.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
