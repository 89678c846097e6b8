//! What the outside of a local account knows of it: names, keys, who is let in, and where its facts come from.

use std::sync::Arc;

use super::faults::Wire;
use super::token::Mint;
use crate::azure::shared_key::{Key, KeyError};
use crate::base::{Span, Timestamp};

/// The key of a local account when none is given; it is written in the documentation and protects nothing.
pub const DEVELOPMENT_KEY: &str = "bG93dGlkZSBsb2NhbCBhY2NvdW50LCBubyBzZWNyZXQ=";

/// The directory that tokens of the local account name, unless another is given.
pub const DEVELOPMENT_TENANT: &str = "11111111-1111-1111-1111-111111111111";

/// What managed identities and clients of the local directory send as their secret, unless another is given.
pub const IDENTITY_SECRET: &str = "lowtide";

/// The subscription that the local account stands in.
pub const SUBSCRIPTION: &str = "44444444-4444-4444-4444-444444444444";

/// Everything that the outside of an account knows.
pub struct Outside {
    /// The facts of the account, as they are now.
    pub facts: Arc<dyn Fn() -> AccountFacts + Send + Sync>,
    /// The account's name.
    pub account: String,
    /// The keys: primary, secondary.
    pub keys: [AccountKey; 2],
    /// Who is let in.
    pub modes: Modes,
    /// The wall clock: signatures and tokens are of this world, however fast the account's clock runs.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Faults of the wire.
    pub wire: Wire,
    /// Issues and reads tokens.
    pub mint: Mint,
    /// What App-Service-style callers send as `X-IDENTITY-HEADER`, and what a client sends as its secret.
    pub identity_secret: String,
    /// How long tokens last.
    pub token_lasts: Span,
}

/// A key, as printed by `listKeys` and as checked.
#[derive(Clone)]
pub struct AccountKey {
    /// Base64, for `listKeys`.
    pub text: String,
    /// Checks signatures.
    pub key: Key,
}

/// The ways of authentication that an account allows (`allowedAuthenticationModes` of Batch Account - Create, ARM).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Whether requests may be signed with a key of the account.
    pub shared_key: bool,
    /// Whether requests may carry a token.
    pub token: bool,
}

/// The facts of an account (Batch Account - Get, ARM).
#[derive(Clone, Debug, PartialEq)]
pub struct AccountFacts {
    /// The region.
    pub location: String,
    /// Whether `poolAllocationMode` is `UserSubscription`; core quotas are then those of the subscription.
    pub is_user_subscription: bool,
    /// `dedicatedCoreQuota`.
    pub dedicated_cores: u32,
    /// `lowPriorityCoreQuota`.
    pub spot_cores: u32,
    /// `dedicatedCoreQuotaPerVMFamily`; families without a line are free.
    pub family_cores: Vec<(String, u32)>,
    /// `poolQuota`.
    pub pools_max: u32,
    /// `activeJobAndJobScheduleQuota`.
    pub jobs_max: u32,
    /// Cores of dedicated nodes that pools have now.
    pub dedicated_cores_used: u32,
    /// Cores of spot nodes that pools have now.
    pub spot_cores_used: u32,
}

impl Modes {
    /// Keys and tokens, the service's default.
    pub const BOTH: Self = Self {
        shared_key: true,
        token: true,
    };
    /// Tokens only, as in accounts of mode `UserSubscription`.
    pub const TOKENS: Self = Self {
        shared_key: false,
        token: true,
    };
}

impl AccountKey {
    /// Reads a key.
    ///
    /// # Errors
    /// When it is empty or no base64.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Ok(Self {
            text: text.trim().to_owned(),
            key: Key::parse(text)?,
        })
    }
}

impl Outside {
    /// Returns the outside of an account with one key for both, that lets in keys and tokens and breaks nothing.
    pub fn new(
        account: impl Into<String>,
        key: &AccountKey,
        facts: Arc<dyn Fn() -> AccountFacts + Send + Sync>,
    ) -> Self {
        Self {
            facts,
            account: account.into(),
            keys: [key.clone(), key.clone()],
            modes: Modes::BOTH,
            clock: Arc::new(wall_clock),
            wire: Wire::default(),
            mint: Mint::new(DEVELOPMENT_TENANT, &key.key),
            identity_secret: IDENTITY_SECRET.to_owned(),
            token_lasts: Span::hours(24),
        }
    }

    /// Returns the time that this server believes it is: the wall clock, off by what the scenario says.
    pub fn now(&self) -> Timestamp {
        (self.clock)() + self.wire.clock_skew()
    }
}

/// Returns the time of this machine.
pub fn wall_clock() -> Timestamp {
    Timestamp::from_utc(chrono::Utc::now())
}
