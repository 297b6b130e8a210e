//! The handlers of an account, in the order in which they get an event.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{Context, Failure, Flow, Handler, Lang};
use tokio::sync::Semaphore;

/// The handlers of an account: those before the rules, the rules, those that rules call by name, and the fallbacks.
///
/// [`at_once`](Self::at_once) and [`timeout`](Self::timeout) apply to the handler that was added last.
#[derive(Clone, Default)]
pub struct Handlers {
    pub(crate) before: Vec<Registered>,
    pub(crate) rules: Option<Registered>,
    pub(crate) named: BTreeMap<String, Registered>,
    pub(crate) fallback: Vec<Registered>,
    pub(crate) on_error: Option<Arc<OnError>>,
    lang: Option<Arc<ReadLang>>,
    last: Option<Last>,
}

/// Reads the language of the bot in its chats, which a reload of the rules may change.
pub type ReadLang = dyn Fn() -> Lang + Send + Sync;

/// Gets a failed handler's name and the failure, with a context without the effects of that handler. It may reply. `Stop` ends
/// the turn; with `Continue` it goes on as without the hook.
pub type OnError = dyn Fn(&str, &Failure, &mut Context) -> Flow + Send + Sync;

/// The handlers that turns begin with. An attempt of a turn keeps those with which it began.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActiveHandlers(Arc<Mutex<Option<Arc<Handlers>>>>);

impl ActiveHandlers {
    /// Sets the first handlers; a replacement that came earlier wins.
    pub(crate) fn begin_with(&self, handlers: Handlers) {
        self.lock().get_or_insert_with(|| Arc::new(handlers));
    }

    /// Lets the next turns begin with these.
    pub(crate) fn replace(&self, handlers: Handlers) {
        let old = self.lock().replace(Arc::new(handlers));
        // Outside of the lock: the end of a handler may be work.
        drop(old);
    }

    pub(crate) fn load(&self) -> Arc<Handlers> {
        self.lock().clone().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Handlers>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handler with its name and limits.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) permits: Option<Arc<Semaphore>>,
    pub(crate) timeout: Option<Duration>,
    /// Whether the handler never blocks its thread.
    pub(crate) is_prompt: bool,
}

/// The place of the handler that was added last.
#[derive(Clone)]
enum Last {
    Before,
    Rules,
    Named(String),
    Fallback,
}

impl Handlers {
    /// No handlers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler that gets every event before the rules.
    #[must_use]
    pub fn before(mut self, name: impl Into<String>, handler: Arc<dyn Handler>) -> Self {
        self.before.push(Registered::new(name.into(), handler));
        self.last = Some(Last::Before);
        self
    }

    /// Sets the rule book.
    #[must_use]
    pub fn rules(mut self, handler: Arc<dyn Handler>) -> Self {
        self.rules = Some(Registered::new("rules".to_owned(), handler));
        self.last = Some(Last::Rules);
        self.prompt()
    }

    /// Adds a handler that runs when a rule calls it by this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>, handler: Arc<dyn Handler>) -> Self {
        let name = name.into();
        self.named.insert(name.clone(), Registered::new(name.clone(), handler));
        self.last = Some(Last::Named(name));
        self
    }

    /// Adds a handler that gets the events which no handler before it stopped.
    #[must_use]
    pub fn fallback(mut self, name: impl Into<String>, handler: Arc<dyn Handler>) -> Self {
        self.fallback.push(Registered::new(name.into(), handler));
        self.last = Some(Last::Fallback);
        self
    }

    /// Sets the hook for failures of all handlers; rejections are none.
    #[must_use]
    pub fn on_error(mut self, hook: Arc<OnError>) -> Self {
        self.on_error = Some(hook);
        self
    }

    /// Sets the language of the bot in its chats.
    #[must_use]
    pub fn lang(mut self, lang: Arc<ReadLang>) -> Self {
        self.lang = Some(lang);
        self
    }

    pub(crate) fn present_lang(&self) -> Lang {
        self.lang.as_ref().map_or_else(Lang::default, |lang| lang())
    }

    /// Limits the number of events on which the handler added last works at the same time. Zero counts as one.
    #[must_use]
    pub fn at_once(mut self, limit: usize) -> Self {
        if let Some(registered) = self.last_added() {
            registered.permits = Some(Arc::new(Semaphore::new(limit.max(1))));
        }
        self
    }

    /// Gives the handler added last its own time-out.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let Some(registered) = self.last_added() {
            registered.timeout = Some(timeout);
        }
        self
    }

    /// Marks the handler added last as one that never blocks its thread and needs no precautions. Rules never block.
    #[must_use]
    pub fn prompt(mut self) -> Self {
        if let Some(registered) = self.last_added() {
            registered.is_prompt = true;
        }
        self
    }

    fn last_added(&mut self) -> Option<&mut Registered> {
        match self.last.as_ref()? {
            Last::Before => self.before.last_mut(),
            Last::Rules => self.rules.as_mut(),
            Last::Named(name) => self.named.get_mut(name),
            Last::Fallback => self.fallback.last_mut(),
        }
    }
}

impl Registered {
    fn new(name: String, handler: Arc<dyn Handler>) -> Self {
        Self { name, handler, permits: None, timeout: None, is_prompt: false }
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, rules, named, fallback, on_error: _, lang: _, last: _ } = self;
        f.debug_struct("Handlers")
            .field("before", before)
            .field("rules", rules)
            .field("named", &named.keys())
            .field("fallback", fallback)
            .finish()
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
