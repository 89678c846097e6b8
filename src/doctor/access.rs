//! Whether we are let in, as whom, what we may see, and whether the clocks agree. Nothing is written to find that out.

use super::checks::Found;
use super::role::Permission;
use super::{Finding, Identity, Outcome};
use crate::azure::{Client, Fault, Knock, Query};
use crate::base::{Code, Span};

/// The service refuses signatures that are older or younger ("Authenticate requests", 15 minutes).
const APART_MAX: Span = Span::minutes(15);
/// Samples stand on a grid of 30 seconds: clocks that are further apart put them into the wrong place.
const APART_NOTICED: Span = Span::seconds(30);
/// A look takes some requests one after the other even in a small account.
const SLOW: Span = Span::seconds(5);

/// A read that is tried.
struct Tried {
    name: &'static str,
    path: String,
    permission: Permission,
}

/// Examines who we are, the clocks, and what we may read.
///
/// # Errors
/// When the account does not answer at all.
pub(super) async fn examine(client: &Client, found: &mut Found) -> Result<Identity, Fault> {
    let by = client.way_in();
    let claims = client.claims().await?;
    let who = claims.as_ref().and_then(crate::azure::Claims::whom);
    let tenant = claims.as_ref().and_then(|claims| claims.tid.clone());
    let first = client.knock("/pools", &one()).await?;
    clocks(&first, found);
    pace(&first, found);
    let named = who.as_ref().map_or(String::new(), |who| format!(", as {who}"));
    match &first.refusal {
        Some(fault) if is_unknown(fault) => {
            found.check("identity", Outcome::Error, format!("{by}{named} is refused"));
            found.find(not_allowed("Pool - List", fault, Permission::ReadPools));
        }
        _ => {
            found.check("identity", Outcome::Ok, format!("{by}{named}"));
            permissions(client, &first, found).await?;
        }
    }
    Ok(Identity { by, who, tenant })
}

/// Says whether we were not even recognised, so that asking for more would tell the same.
fn is_unknown(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { status: 401, .. }) || fault.has_code("AuthenticationFailed")
}

fn one<'a>() -> Query<'a> {
    Query {
        page: Some(1),
        ..Query::default()
    }
}

fn clocks(knock: &Knock, found: &mut Found) {
    let Some(ahead) = knock.ahead else {
        found.check("clock", Outcome::Unknown, "the account tells no time");
        return;
    };
    // The header tells whole seconds, so that a second apart is none.
    let apart = ahead.abs();
    let told = if apart <= Span::seconds(1) {
        "this machine's and the account's agree to the second".to_owned()
    } else {
        let direction = if ahead.is_negative() { "ahead of" } else { "behind" };
        format!("this machine's is {} {direction} the account's", apart.in_short())
    };
    let severity = if apart > APART_MAX {
        Outcome::Error
    } else if apart > APART_NOTICED {
        Outcome::Warning
    } else {
        found.check("clock", Outcome::Ok, told);
        return;
    };
    found.check("clock", severity, told.clone());
    found.find(Finding::new(
        Code("D001"),
        severity,
        format!(
            "the clock of {}",
            told.replacen("this machine's is", "this machine is", 1)
        ),
        "set this machine's clock by NTP (`timedatectl set-ntp true`, or the host's time of a container)",
    ));
}

fn pace(knock: &Knock, found: &mut Found) {
    let took = Span::from_seconds(knock.took.as_secs_f64());
    let told = format!("an answer takes {:.0} ms", took.as_seconds() * 1000.0);
    if took <= SLOW {
        found.check("pace", Outcome::Ok, told);
        return;
    }
    found.check("pace", Outcome::Warning, told.clone());
    found.find(Finding::new(
        Code("D004"),
        Outcome::Warning,
        told,
        "check the way to the region (proxy, private endpoint), and leave a longer interval in policies",
    ));
}

/// Returns every kind of read that lowtide makes besides the first, as far as there is something to read.
async fn reads(client: &Client) -> Vec<Tried> {
    let mut reads = vec![
        tried(
            "Account - List Pool Node Counts",
            "/nodecounts",
            Permission::ReadPools,
        ),
        tried("Job - List", "/jobs", Permission::ReadJobs),
    ];
    if let Some(pool) = client.first_id("/pools").await.ok().flatten() {
        let path = format!("/pools/{pool}/nodes");
        reads.push(tried("Compute Node - List", &path, Permission::ReadPools));
    }
    if let Some(job) = client.first_id("/jobs").await.ok().flatten() {
        let path = format!("/jobs/{job}/taskcounts");
        reads.push(tried("Job - Get Task Counts", &path, Permission::ReadJobs));
        let path = format!("/jobs/{job}/tasks");
        reads.push(tried("Task - List", &path, Permission::ReadJobs));
    }
    reads
}

/// Tries every kind of read that lowtide makes.
async fn permissions(client: &Client, first: &Knock, found: &mut Found) -> Result<(), Fault> {
    let mut refused = 0;
    let mut judge = |tried: &Tried, knock: &Knock, found: &mut Found| {
        let Some(fault) = &knock.refusal else { return };
        refused += 1;
        found.find(match fault {
            Fault::Refused {
                status: 401 | 403, ..
            } => not_allowed(tried.name, fault, tried.permission),
            _ => Finding::new(
                Code("D003"),
                Outcome::Error,
                format!("{}: {fault}", tried.name),
                "look at the health of Azure Batch in the region, and try again",
            ),
        });
    };
    let pools = tried("Pool - List", "/pools", Permission::ReadPools);
    judge(&pools, first, found);
    let reads = reads(client).await;
    let n_reads = reads.len() + 1;
    for read in &reads {
        let query = if read.path.ends_with("/taskcounts") {
            Query::default()
        } else {
            one()
        };
        let knock = client.knock(&read.path, &query).await?;
        judge(read, &knock, found);
    }
    if refused == 0 {
        found.check(
            "permissions",
            Outcome::Ok,
            format!("{n_reads} kinds of reads were tried and are allowed; writes are not tried"),
        );
    } else {
        found.check(
            "permissions",
            Outcome::Error,
            format!("{refused} of {n_reads} kinds of reads are refused"),
        );
    }
    Ok(())
}

fn tried(name: &'static str, path: &str, permission: Permission) -> Tried {
    Tried {
        name,
        path: path.to_owned(),
        permission,
    }
}

fn not_allowed(name: &str, fault: &Fault, permission: Permission) -> Finding {
    let kind = if permission.is_of_data() {
        "data action"
    } else {
        "action"
    };
    let help = fault.help().map_or(String::new(), |help| format!("; or {help}"));
    Finding::new(
        Code("D002"),
        Outcome::Error,
        format!("{name} is refused ({fault})"),
        format!(
            "give the identity a role with the {kind} {} (`lowtide doctor --role` prints the least one){help}",
            permission.action()
        ),
    )
}
