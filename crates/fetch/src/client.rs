//! The HTTP client of a process: connections to allowed addresses only.

use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, Once, OnceLock, PoisonError, RwLock};

use mynah_core::{FetchFailure, with_causes};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy, Request, Response};

use crate::{
    AddressPolicy, AddressRefused, FetchSettings, GuardedResolver, Resolver, SystemResolver, Target,
};

/// The HTTP client of a process, for all accounts. It connects to public addresses, and to those that the operator named.
#[derive(Debug, Clone)]
pub struct FetchClient(Arc<RwLock<Arc<Connections>>>);

#[derive(Debug)]
struct Connections {
    settings: Arc<FetchSettings>,
    resolver: Arc<dyn Resolver>,
    /// For hosts whose addresses must be public. Made at the first request: most bots have none.
    public: OnceLock<Result<Client, String>>,
    /// For the hosts of `private`. Apart, as a kept connection to one port must not serve another host.
    private: OnceLock<Result<Client, String>>,
}

impl FetchClient {
    /// A client for these hosts. Proxies of the environment are not used.
    #[must_use]
    pub fn new(settings: FetchSettings) -> Self {
        Self::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// A client that finds the addresses of names by a resolver of its own. The addresses are checked all the same.
    #[must_use]
    pub fn with_resolver(settings: FetchSettings, resolver: Arc<dyn Resolver>) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Connections::new(settings, resolver)))))
    }

    /// The hosts and secrets that the operator opened.
    #[must_use]
    pub fn settings(&self) -> Arc<FetchSettings> {
        Arc::clone(&self.current().settings)
    }

    /// Opens other hosts from now on, for all clones of this client, also for redirects of requests that are under way.
    pub fn reopen(&self, settings: FetchSettings) {
        let resolver = Arc::clone(&self.current().resolver);
        let next = Arc::new(Connections::new(settings, resolver));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn current(&self) -> Arc<Connections> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends a request, and gives the head of the answer. Redirects are answers, too.
    pub(crate) async fn send(
        &self,
        target: &Target,
        request: Request,
    ) -> Result<Response, FetchFailure> {
        let client = self.current().connected(target).await?;
        client.execute(request).await.map_err(|error| failure(error, target))
    }
}

impl Connections {
    fn new(settings: FetchSettings, resolver: Arc<dyn Resolver>) -> Self {
        let (public, private) = (OnceLock::new(), OnceLock::new());
        Self { settings: Arc::new(settings), resolver, public, private }
    }

    /// The client for a host, whose address is checked if it is known yet.
    async fn connected(&self, target: &Target) -> Result<Client, FetchFailure> {
        let Self { settings, resolver, public, private } = self;
        if settings.is_private(target) {
            let client = private.get_or_init(|| built(|| self.builder(AddressPolicy::Any)));
            return made(client);
        }
        AddressPolicy::Public.check_literal(target).map_err(refused)?;
        let Some(proxy) = &settings.proxy else {
            let client = public.get_or_init(|| built(|| self.builder(AddressPolicy::Public)));
            return made(client);
        };
        // The proxy looks the name up again. A name that leads astray already here is not given to it.
        if target.address().is_none() {
            let guarded = GuardedResolver::new(Arc::clone(resolver), AddressPolicy::Public);
            if let Err(error) = guarded.addresses(&target.host().to_string()).await
                && let Some(found) = address_refused(&error)
            {
                return Err(refused(AddressRefused { host: target.to_string(), ..found.clone() }));
            }
        }
        let client = public.get_or_init(|| {
            let proxy = Proxy::all(proxy.reveal())
                .map_err(|_| "the address of [fetch] proxy is not valid".to_owned())?;
            // This resolver finds the proxy only.
            built(|| self.builder(AddressPolicy::Any).proxy(proxy.clone()))
        });
        made(client)
    }

    fn builder(&self, policy: AddressPolicy) -> ClientBuilder {
        let resolver = GuardedResolver::new(Arc::clone(&self.resolver), policy);
        Client::builder()
            .user_agent(concat!("mynah/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(resolver)
    }
}

/// A client, also on a machine without certificates, where only encrypted connections fail.
fn built(builder: impl Fn() -> ClientBuilder) -> Result<Client, String> {
    static PROVIDER: Once = Once::new();
    // The application may have installed another provider. Any of them will do.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
    client.map_err(|error| with_causes(&error.without_url()))
}

fn made(client: &Result<Client, String>) -> Result<Client, FetchFailure> {
    client.clone().map_err(FetchFailure::Connection)
}

pub(crate) fn refused(AddressRefused { host, address }: AddressRefused) -> FetchFailure {
    FetchFailure::AddressRefused { host, address }
}

/// The failure of a connection or a body. The address of the request may contain a secret, and is not shown.
pub(crate) fn failure(error: reqwest::Error, target: &Target) -> FetchFailure {
    let error = error.without_url();
    if let Some(found) = address_refused(&error) {
        let address: IpAddr = found.address;
        return FetchFailure::AddressRefused { host: target.to_string(), address };
    }
    let is_answered = error.is_body() || error.is_decode();
    let causes = with_causes(&error);
    if is_answered { FetchFailure::Damaged(causes) } else { FetchFailure::Connection(causes) }
}

/// The refused address among the causes of an error.
fn address_refused<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a AddressRefused> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<AddressRefused>() {
            return Some(found);
        }
        // The source of an `io::Error` is that of the error inside, which is skipped.
        let io = error.downcast_ref::<std::io::Error>();
        if let Some(found) = io.and_then(|io| io.get_ref()?.downcast_ref()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}
