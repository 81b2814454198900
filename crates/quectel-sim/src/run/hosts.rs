//! Which address a host name stands for.

use core::net::{IpAddr, SocketAddr};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Maps host names (or `host:port`) to addresses, so that real names, server name indication and port 8883 stay in the
/// commands while the traffic stays on this computer. Clones share one table.
///
/// A name that is not in the table has no address, unless [`allow_system`](Self::allow_system) was called. A name that
/// is there only with ports has an address, and refuses connections to its other ports. Loopback addresses are always
/// reachable.
///
/// ```
/// use quectel_sim::run::HostTable;
///
/// let hosts = HostTable::new();
/// hosts.insert("contoso.azure-devices.net", "127.0.0.1:41883".parse()?);
/// hosts.insert("contoso.azure-devices.net:443", "127.0.0.1:41443".parse()?);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct HostTable {
    inner: Arc<RwLock<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    names: HashMap<String, SocketAddr>,
    default: Option<SocketAddr>,
    system: bool,
}

/// Where a host name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// To this address.
    Address(SocketAddr),
    /// To this host, where nothing listens on that port.
    Closed(IpAddr),
    /// Wherever the operating system says.
    System,
    /// Nowhere.
    Nowhere,
}

impl HostTable {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Maps a name, or a name and port as `name:port`, upper or lower case. A port of 0 in the address keeps the port of
    /// the command.
    pub fn insert(&self, name: &str, address: SocketAddr) {
        let mut table = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        table.names.insert(name.to_ascii_lowercase(), address);
    }

    /// Takes a name out.
    pub fn remove(&self, name: &str) {
        let mut table = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        table.names.remove(&name.to_ascii_lowercase());
    }

    /// Maps every name that is not in the table.
    pub fn map_all(&self, address: SocketAddr) {
        self.inner
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .default = Some(address);
    }

    /// Lets names that are not in the table, and all addresses, go to the real network.
    pub fn allow_system(&self) {
        self.inner
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .system = true;
    }

    pub(super) fn target(&self, host: &str, port: u16) -> Target {
        let table = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let found = table
            .names
            .get(&format!("{host}:{port}"))
            .or_else(|| table.names.get(&host))
            .copied();
        let literal = host.parse::<IpAddr>().ok();
        match (found, literal) {
            (Some(address), _) => Target::Address(with_port(address, port)),
            (None, Some(ip)) if ip.is_loopback() || table.system => {
                Target::Address(SocketAddr::new(ip, port))
            }
            (None, _) => match table.default {
                Some(address) => Target::Address(with_port(address, port)),
                None => table.elsewhere(&host),
            },
        }
    }
}

impl Table {
    /// Where a host leads of which this port is not in the table.
    fn elsewhere(&self, host: &str) -> Target {
        let other_port = self.names.iter().find_map(|(name, address)| {
            let (name, _) = name.rsplit_once(':')?;
            (name == host).then_some(address.ip())
        });
        match other_port {
            Some(address) => Target::Closed(address),
            None if self.system => Target::System,
            None => Target::Nowhere,
        }
    }
}

const fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    if address.port() == 0 {
        address.set_port(port);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let hosts = HostTable::new();
        hosts.insert("Hub.test", "127.0.0.1:1000".parse().unwrap());
        hosts.insert("hub.test:443", "127.0.0.1:2000".parse().unwrap());
        hosts.insert("ports.test:8883", "127.0.0.1:3000".parse().unwrap());
        hosts.insert("keep.test", "127.0.0.1:0".parse().unwrap());
        let cases = [
            (
                "hub.test",
                8883,
                Target::Address("127.0.0.1:1000".parse().unwrap()),
            ),
            (
                "HUB.TEST.",
                443,
                Target::Address("127.0.0.1:2000".parse().unwrap()),
            ),
            (
                "keep.test",
                8883,
                Target::Address("127.0.0.1:8883".parse().unwrap()),
            ),
            (
                "127.0.0.1",
                80,
                Target::Address("127.0.0.1:80".parse().unwrap()),
            ),
            (
                "ports.test",
                8883,
                Target::Address("127.0.0.1:3000".parse().unwrap()),
            ),
            (
                "ports.test",
                443,
                Target::Closed("127.0.0.1".parse().unwrap()),
            ),
            (
                "ports.test",
                0,
                Target::Closed("127.0.0.1".parse().unwrap()),
            ),
            ("8.8.8.8", 53, Target::Nowhere),
            ("other.test", 1, Target::Nowhere),
        ];
        for (host, port, expected) in cases {
            assert_eq!(hosts.target(host, port), expected, "{host}:{port}");
        }
        hosts.allow_system();
        assert_eq!(hosts.target("other.test", 1), Target::System);
    }
}
