//! Which calls the limits count together: those from one IPv4 address, or from one IPv6 /64 and its /48. A customer has at least a /64 and
//! may have a /48 (RFC 6177).

use std::net::IpAddr;

/// The IP address of a caller, as limits count it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceIp {
    /// The IPv4 address, or the /64 of the IPv6 address.
    pub own: String,
    /// The /48 of the IPv6 address.
    pub site: Option<String>,
}

impl From<IpAddr> for SourceIp {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self { own: ip.to_string(), site: None },
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Self {
                    own: format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"),
                    site: Some(format!("{a:x}:{b:x}:{c:x}::/48")),
                }
            }
        }
    }
}

impl SourceIp {
    /// Callers whose address API Gateway does not tell are counted together.
    #[must_use]
    pub fn unknown() -> Self {
        Self { own: "unknown".to_owned(), site: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_counted_by_its_64_and_its_48() {
        let of = |ip: &str| SourceIp::from(ip.parse::<IpAddr>().expect("an address"));
        assert_eq!(of("192.0.2.1"), SourceIp { own: "192.0.2.1".to_owned(), site: None });
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"), "IPv4 in IPv6");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::1"));
        let (one, other) = (of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(one.own, other.own);
        assert_eq!(one.site, other.site);
        assert_ne!(of("2001:db8:1::1").site, of("2001:db8:2::1").site);
    }
}
