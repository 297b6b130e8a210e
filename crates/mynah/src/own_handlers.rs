//! Handlers of the program that are made from settings.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mynah_core::{Context, Event, Flow, Handler, HandlerError, Message, to_map, with_causes};
use mynah_reader::{TableNode, Unfit};
use serde::de::DeserializeOwned;

/// Makes a handler from its settings.
pub(crate) type Make = dyn Fn(&TableNode) -> Result<Arc<dyn Handler>, Unfit> + Send + Sync;

/// The handlers of the program that take settings, while the settings are read.
#[derive(Default)]
pub(crate) struct OwnHandlers {
    makes: BTreeMap<String, Arc<Make>>,
    made: Mutex<BTreeMap<String, Arc<dyn Handler>>>,
}

impl OwnHandlers {
    /// These, none of which has its settings yet.
    pub(crate) fn new(makes: impl Iterator<Item = (String, Arc<Make>)>) -> Self {
        Self { makes: to_map(makes), made: Mutex::default() }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.makes.is_empty()
    }

    /// Whether there is a handler of this name that takes settings.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.makes.contains_key(name)
    }

    /// Makes the handler of this name from its settings; without any, from an empty table.
    pub(crate) fn configure(&self, name: &str, settings: Option<&TableNode>) -> Result<(), Unfit> {
        let Some(make) = self.makes.get(name) else { return Ok(()) };
        let made = make(settings.unwrap_or(&TableNode::default()))?;
        self.lock().insert(name.to_owned(), made);
        Ok(())
    }

    /// The handler of this name, if it was made.
    pub(crate) fn made(&self, name: &str) -> Option<Arc<dyn Handler>> {
        self.lock().get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<dyn Handler>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The function that reads settings of a type and makes a handler from them.
pub(crate) fn making<S, H>(
    make: impl Fn(S) -> Result<H, HandlerError> + Send + Sync + 'static,
) -> Arc<Make>
where
    S: DeserializeOwned,
    H: Handler + 'static,
{
    Arc::new(move |settings: &TableNode| {
        let made = make(settings.typed()?);
        let failed = |error: HandlerError| Unfit { span: None, message: with_causes(&*error) };
        made.map(|handler| Arc::new(handler) as Arc<dyn Handler>).map_err(failed)
    })
}

/// In the place of a handler whose settings are missing: fails every turn, and says why.
pub(crate) struct Unconfigured(pub(crate) Unfit);

#[async_trait]
impl Handler for Unconfigured {
    async fn on_message(&self, _: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
        Err(self.error())
    }

    async fn on_event(&self, _: &mut Context, _: &Event) -> Result<Flow, HandlerError> {
        Err(self.error())
    }
}

impl Unconfigured {
    fn error(&self) -> HandlerError {
        format!("its settings are missing: {}", self.0.message).into()
    }
}

impl fmt::Debug for OwnHandlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.makes.keys()).finish()
    }
}
