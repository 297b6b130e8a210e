//! The addresses of names.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{AddressPolicy, AddressRefused};

/// Finds the addresses of names.
#[async_trait]
pub trait Resolver: Send + Sync + fmt::Debug {
    /// The addresses of a name, best first.
    ///
    /// # Errors
    ///
    /// There are none, or they cannot be found.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Lets an HTTP client connect only to addresses that the policy allows, as `ClientBuilder::dns_resolver` of `reqwest`: the
/// client uses the very addresses that were checked, so a name that has other addresses a moment later gains nothing. A
/// client does not ask it for hosts that are written as addresses: see [`AddressPolicy::check_literal`].
#[derive(Debug, Clone)]
pub struct GuardedResolver {
    resolver: Arc<dyn Resolver>,
    policy: AddressPolicy,
}

impl GuardedResolver {
    /// Checks the addresses that another resolver finds.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolver>, policy: AddressPolicy) -> Self {
        Self { resolver, policy }
    }

    /// Checks the addresses that the operating system finds.
    #[must_use]
    pub fn of_system(policy: AddressPolicy) -> Self {
        Self::new(Arc::new(SystemResolver), policy)
    }

    /// The addresses of a name, if the policy allows all of them.
    ///
    /// # Errors
    ///
    /// There are no addresses, or one of them is refused; the error then has [`AddressRefused`] inside.
    pub async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = self.resolver.addresses(name).await?;
        // A name with addresses on both sides of the boundary is suspicious: it gets none.
        if let Some(address) = addresses.iter().find(|address| !self.policy.allows(**address)) {
            let refused = AddressRefused { host: name.to_owned(), address: *address };
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, refused));
        }
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(addresses)
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let addresses = this.addresses(name.as_str()).await?;
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(Vec<IpAddr>);

    #[async_trait]
    impl Resolver for Fixed {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.clone())
        }
    }

    #[tokio::test]
    async fn a_name_with_one_refused_address_gets_none() {
        for (found, policy, expected) in [
            (&["8.8.8.8", "1.1.1.1"][..], AddressPolicy::Public, true),
            (&["8.8.8.8", "127.0.0.1"], AddressPolicy::Public, false),
            (&["::ffff:10.0.0.1"], AddressPolicy::Public, false),
            (&["127.0.0.1", "fd00::1"], AddressPolicy::Private, true),
            (&["127.0.0.1", "8.8.8.8"], AddressPolicy::Private, false),
            (&["127.0.0.1", "8.8.8.8"], AddressPolicy::Any, true),
            (&[], AddressPolicy::Any, false),
        ] {
            let addresses = found.iter().map(|text| text.parse().unwrap()).collect();
            let guarded = GuardedResolver::new(Arc::new(Fixed(addresses)), policy);
            assert_eq!(guarded.addresses("x").await.is_ok(), expected, "{found:?} {policy:?}");
        }
        let guarded = GuardedResolver::of_system(AddressPolicy::Public);
        let error = guarded.addresses("localhost").await.unwrap_err();
        let refused = error.get_ref().and_then(|error| error.downcast_ref::<AddressRefused>());
        assert_eq!(refused.unwrap().host, "localhost");
    }
}
