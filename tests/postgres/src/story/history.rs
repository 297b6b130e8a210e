//! What the database knows about a story: leases, claims, unknown outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, Row};

use super::node_number;
use super::record::number;

/// Writes down each change of a holder, each account that was left alone, each claim of a request, and each request of which
/// it becomes unknown whether it arrived, with the lease of the node that says so.
pub(crate) const TRIGGERS: &str = "
    CREATE TABLE public.lease_history (account text, epoch bigint, node text, deaths integer, at double precision);
    CREATE FUNCTION public.note_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.lease_history
            SELECT a.name, NEW.epoch, CASE WHEN NEW.holder IS NOT NULL THEN coalesce(n.name, '') END, NEW.deaths,
                extract(epoch FROM clock_timestamp())
            FROM mynah.account a LEFT JOIN mynah.node n ON n.id = NEW.holder WHERE a.account = NEW.account;
        RETURN NULL;
    END $$;
    CREATE TRIGGER history AFTER INSERT OR UPDATE OF holder, epoch ON mynah.lease
        FOR EACH ROW WHEN (NEW.holder IS NOT NULL OR NEW.not_before > clock_timestamp())
        EXECUTE FUNCTION public.note_lease();
    CREATE TABLE public.claim_history (account integer, event bigint, epoch bigint, is_lost boolean, reason text,
        at double precision);
    CREATE TABLE public.doubt_history (LIKE public.claim_history);
    CREATE FUNCTION public.note_request() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.claim_history
            SELECT NEW.account, NEW.event, NEW.epoch, false, '', extract(epoch FROM clock_timestamp())
            WHERE NEW.claimed IS NOT NULL;
        INSERT INTO public.doubt_history
            SELECT NEW.account, NEW.event, l.epoch, OLD.epoch < l.epoch, NEW.reason, extract(epoch FROM clock_timestamp())
            FROM mynah.lease l WHERE l.account = NEW.account AND NEW.doubts > OLD.doubts;
        RETURN NULL;
    END $$;
    CREATE TRIGGER history AFTER UPDATE OF claimed ON mynah.outbox
        FOR EACH ROW EXECUTE FUNCTION public.note_request()";

/// A request that a node was about to send.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) node: Option<usize>,
    pub(crate) at: SystemTime,
}

/// An answer of which it was unknown whether it had arrived.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    /// From then on it could be sent once more.
    pub(crate) at: SystemTime,
    /// Whether the lease under which it was sent had been lost.
    pub(crate) is_lost: bool,
    /// The node that noted it, and why.
    pub(crate) node: Option<usize>,
    pub(crate) reason: String,
}

/// The exceptions that the database explains, by their questions.
#[derive(Debug, Default)]
pub(crate) struct Doubtful {
    /// Answers that could be sent once more.
    pub(crate) once: BTreeMap<usize, Doubt>,
    /// Answers that were given up, as the outcome of the second send was unknown as well.
    pub(crate) twice: BTreeSet<usize>,
    /// Questions that were not handled, as three processes in a row had ended on them, and when that was decided.
    pub(crate) set_aside: BTreeMap<usize, SystemTime>,
}

/// An account that a node took, or that was left alone as its nodes had ended.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) account: String,
    pub(crate) epoch: i64,
    pub(crate) node: Option<usize>,
    pub(crate) is_taken: bool,
    pub(crate) at: SystemTime,
    /// How many nodes in a row have ended soon after they took it.
    pub(crate) ends: i32,
}

impl Lease {
    /// Whether the account may be the cause of the ends of its nodes, so that it goes to a node by itself.
    pub(crate) fn is_suspect(&self) -> bool {
        self.ends >= 5
    }
}

pub(crate) fn moment(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

/// All requests, by their questions.
pub(crate) async fn claims(admin: &Client) -> BTreeMap<usize, Vec<Claim>> {
    let mut claims = BTreeMap::<usize, Vec<Claim>>::new();
    for row in admin.query(&of_requests("claim_history"), &[]).await.unwrap() {
        let claim = Claim { node: node(&row), at: moment(row.get(2)) };
        claims.entry(question(&row).unwrap()).or_default().push(claim);
    }
    claims
}

/// All answers with an unknown outcome.
pub(crate) async fn doubtful(admin: &Client) -> Doubtful {
    let rows = async |sql: &str| admin.query(sql, &[]).await.unwrap();
    let once = rows(&of_requests("doubt_history")).await;
    let doubt = |row: &Row| Doubt {
        at: moment(row.get(2)),
        node: node(row),
        is_lost: row.get(3),
        reason: row.get(4),
    };
    let once = once.iter().map(|row| (question(row).unwrap(), doubt(row))).collect();
    let twice = "SELECT e.body FROM mynah.outcome o JOIN mynah.event e
        ON (e.account, e.seq) = (o.account, o.event) WHERE o.outcome = 'unknown'";
    let twice = rows(twice).await.iter().filter_map(question).collect();
    let set_aside = "SELECT e.body, d.handled / 1000.0::float8 FROM mynah.decision d
        JOIN mynah.event e USING (account, seq) WHERE d.decided LIKE '%set aside%'";
    // An event that is not a question can be set aside as well.
    let at = |row: &Row| Some((question(row)?, moment(row.get(1))));
    let set_aside = rows(set_aside).await.iter().filter_map(at).collect();
    Doubtful { once, twice, set_aside }
}

/// The rows of a table about requests, each with its question and the node that held its lease.
fn of_requests(table: &str) -> String {
    format!(
        "SELECT e.body, l.node, h.at, h.is_lost, h.reason FROM public.{table} h
            JOIN mynah.event e ON (e.account, e.seq) = (h.account, h.event)
            JOIN mynah.account a ON a.account = h.account
            LEFT JOIN public.lease_history l ON l.account = a.name AND l.epoch = h.epoch AND l.node IS NOT NULL
            ORDER BY h.at"
    )
}

fn question(row: &Row) -> Option<usize> {
    number(row.get(0), "问题 ")
}

fn node(row: &Row) -> Option<usize> {
    row.get::<_, Option<&str>>(1).and_then(node_number)
}

/// All that waits in the database.
pub(crate) async fn queues(admin: &Client) -> Vec<String> {
    let sql = "SELECT row_to_json(o)::text FROM mynah.outbox o UNION ALL SELECT row_to_json(i)::text FROM mynah.inbox i";
    admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The leases of accounts, with the names of their holders.
pub(crate) async fn held(admin: &Client, accounts: &BTreeSet<&str>) -> Vec<String> {
    let sql = "SELECT a.name, row_to_json(l)::text || ' ' || coalesce(n.name, 'no node') || ', now ' || clock_timestamp()
        FROM mynah.lease l JOIN mynah.account a USING (account) LEFT JOIN mynah.node n ON n.id = l.holder";
    let rows = admin.query(sql, &[]).await.unwrap();
    rows.iter()
        .filter(|row| accounts.contains(row.get::<_, &str>(0)))
        .map(|row| row.get(1))
        .collect()
}

/// Lets nodes take the accounts that were left alone as their nodes had ended.
pub(crate) async fn leave_none_alone(admin: &Client) {
    let sql =
        "UPDATE mynah.lease SET not_before = NULL WHERE not_before IS NOT NULL AND deaths > 0";
    admin.execute(sql, &[]).await.unwrap();
}

/// All changes of holders.
pub(crate) async fn leases(admin: &Client) -> Vec<Lease> {
    let sql = "SELECT account, node, at, epoch, deaths FROM public.lease_history ORDER BY at";
    let lease = |row: &Row| Lease {
        account: row.get(0),
        epoch: row.get(3),
        node: node(row),
        is_taken: row.get::<_, Option<&str>>(1).is_some(),
        at: moment(row.get(2)),
        ends: row.get(4),
    };
    admin.query(sql, &[]).await.unwrap().iter().map(lease).collect()
}
