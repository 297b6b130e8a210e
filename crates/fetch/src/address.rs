//! Which addresses a connection may go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

use crate::Target;

/// Which addresses a connection may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Only those for which [`is_public`] holds.
    Public,
    /// Only those for which [`is_private`] holds: for secrets that may not leave the machine or its network unencrypted.
    Private,
    /// All: the operator named the host and the port.
    Any,
}

/// A host is at an address to which the connection may not go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is at the address {address}, to which this connection may not go")]
pub struct AddressRefused {
    /// The host, as far as it is known with its port.
    pub host: String,
    /// The address.
    pub address: IpAddr,
}

impl AddressPolicy {
    /// The addresses to which a secret may go with a request: all if the connection is encrypted, else those of the own
    /// machine and its network.
    #[must_use]
    pub fn for_secrets(target: &Target) -> Self {
        if target.is_secure() { Self::Any } else { Self::Private }
    }

    /// Whether a connection may go to this address.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Private => is_private(address),
            Self::Any => true,
        }
    }

    /// Checks a host that is written as an address. A name passes: the [`GuardedResolver`](crate::GuardedResolver) checks
    /// its addresses, but is never asked for addresses.
    ///
    /// # Errors
    ///
    /// The address is refused.
    pub fn check_literal(self, target: &Target) -> Result<(), AddressRefused> {
        let address: IpAddr = match target.host() {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => (*address).into(),
            Host::Ipv6(address) => (*address).into(),
        };
        if self.allows(address) {
            return Ok(());
        }
        Err(AddressRefused { host: target.to_string(), address })
    }
}

/// Whether an address is globally reachable, by the registries of special-purpose addresses (RFC 6890 and its updates).
/// An IPv6 address that carries an IPv4 address, to which the packets go in the end, is judged by that one.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match Embedded::of(address) {
            Embedded::V4(address) => is_public_v4(address),
            Embedded::Unknown => false,
            Embedded::None => is_public_v6(address),
        },
    }
}

/// Whether an address belongs to this machine or its own network: loopback, private, shared and link-local addresses.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || is_shared(address)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The addresses of carriers and of overlay networks between a customer and the world, 100.64.0.0/10.
fn is_shared(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    a == 100 && (64..128).contains(&b)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_special = match address.octets() {
        // "This network", 0.0.0.0 among it, which is the own machine.
        [0, ..] | [127, ..] => true,
        [10, ..] | [192, 168, ..] => true,
        [172, b, ..] => (16..32).contains(&b),
        [100, ..] => is_shared(address),
        // Link-local: the data of cloud machines about themselves.
        [169, 254, ..] => true,
        // The services of one cloud for its own machines, although the address looks like any other.
        [168, 63, 129, 16] => true,
        // Protocol assignments, the former relays of 6to4.
        [192, 0, 0, _] | [192, 88, 99, _] => true,
        // Benchmarks.
        [198, 18 | 19, ..] => true,
        // Documentation.
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Only this block is assigned to the world. Outside are loopback, unspecified, IPv4-compatible, discard, unique local,
    // link-local, site-local, multicast and unassigned addresses.
    let is_global_unicast = segments[0] & 0xe000 == 0x2000;
    let is_special = match segments {
        // Protocol assignments: Teredo, benchmarks, ORCHID and others.
        [0x2001, 0x0000..=0x01ff, ..] => true,
        // Documentation.
        [0x2001, 0x0db8, ..] | [0x3fff, 0x0000..=0x0fff, ..] => true,
        _ => false,
    };
    is_global_unicast && !is_special
}

/// The IPv4 address inside an IPv6 address.
enum Embedded {
    None,
    V4(Ipv4Addr),
    /// There is one, at a place that only the network knows.
    Unknown,
}

impl Embedded {
    fn of(address: Ipv6Addr) -> Self {
        let v4 = |high: u16, low: u16| {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Self::V4(Ipv4Addr::new(a, b, c, d))
        };
        match address.segments() {
            // IPv4-mapped: the system opens an IPv4 connection.
            [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
            // NAT64 by its well-known prefix.
            [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
            // NAT64 by a prefix of the own network, of any length.
            [0x0064, 0xff9b, ..] => Self::Unknown,
            // 6to4.
            [0x2002, high, low, ..] => v4(high, low),
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "114.114.114.114",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:200::1",
        "2001:db7::1",
        "2001:db9::1",
        "2400:3200::1",
        "2606:4700:4700::1111",
        "3ffe:ffff::1",
        "3fff:1000::1",
    ];

    const NOT_PUBLIC: &[&str] = &[
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        // IPv4-compatible.
        "::7f00:1",
        "::127.0.0.1",
        "::8.8.8.8",
        // IPv4-mapped.
        "::ffff:0.0.0.0",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:192.168.1.1",
        // IPv4-translated.
        "::ffff:0:8.8.8.8",
        // NAT64.
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::8.8.8.8",
        "64:ff9b:1:ffff::1",
        "64:ff9b:0:1::8.8.8.8",
        // Discard.
        "100::1",
        "100:0:0:1::1",
        // Teredo, benchmarks, ORCHID, documentation.
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "3fff::1",
        "3fff:fff::1",
        // 6to4.
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:c0a8:101::1",
        "2002:a9fe:a9fe::1",
        // Segment routing, unassigned.
        "5f00::1",
        "4000::1",
        "1fff::1",
        // Unique local, the metadata of one cloud among them.
        "fc00::1",
        "fd00::1",
        "fd00:ec2::254",
        "fdff::1",
        // Link-local, site-local, multicast.
        "fe80::1",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ];

    #[test]
    fn addresses_that_are_not_globally_reachable_are_not_public() {
        for (addresses, expected) in [(PUBLIC, true), (NOT_PUBLIC, false)] {
            for text in addresses {
                let address: IpAddr = text.parse().unwrap();
                assert_eq!(is_public(address), expected, "{text}");
                assert_eq!(AddressPolicy::Public.allows(address), expected, "{text}");
                assert!(AddressPolicy::Any.allows(address), "{text}");
            }
        }
    }

    /// A table of the registry, apart from the code: no address of these blocks is public, at the ends or inside.
    #[test]
    fn no_address_of_a_special_block_is_public() {
        for (block, length) in [
            ("0.0.0.0", 8),
            ("10.0.0.0", 8),
            ("100.64.0.0", 10),
            ("127.0.0.0", 8),
            ("169.254.0.0", 16),
            ("172.16.0.0", 12),
            ("192.0.0.0", 24),
            ("192.0.2.0", 24),
            ("192.88.99.0", 24),
            ("192.168.0.0", 16),
            ("198.18.0.0", 15),
            ("198.51.100.0", 24),
            ("203.0.113.0", 24),
            ("224.0.0.0", 4),
            ("240.0.0.0", 4),
        ] {
            let first = u32::from(block.parse::<Ipv4Addr>().unwrap());
            let size = 1_u64 << (32 - length);
            for step in 0..=64 {
                let offset = u32::try_from((size - 1) * step / 64).unwrap();
                let v4 = Ipv4Addr::from(first + offset);
                let [a, b, c, d] = v4.octets().map(u16::from);
                let (high, low) = (a << 8 | b, c << 8 | d);
                for address in [
                    IpAddr::from(v4),
                    v4.to_ipv6_mapped().into(),
                    v4.to_ipv6_compatible().into(),
                    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into(),
                    Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low).into(),
                    Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1).into(),
                ] {
                    assert!(!is_public(address), "{address} of {block}/{length}");
                }
            }
        }
    }

    #[test]
    fn the_own_machine_and_its_network_are_private() {
        for (text, expected) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.17.0.2", true),
            ("192.168.1.5", true),
            ("100.101.102.103", true),
            ("169.254.1.1", true),
            ("fd12::1", true),
            ("fe80::1", true),
            ("8.8.8.8", false),
            ("2400:3200::1", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("203.0.113.1", false),
            ("2002:7f00:1::", false),
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(is_private(address), expected, "{text}");
            assert!(!(expected && is_public(address)), "{text} is private and public");
        }
    }
}
