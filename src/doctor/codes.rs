//! The codes of an examination, and why each matters.

use crate::base::{Code, CodeRow};

#[rustfmt::skip] // A table: its rows stay together.
/// What the codes of an examination mean.
pub const CODES: &[CodeRow] = &[
    CodeRow::new(Code("D001"), "the clocks are apart", "Signed requests are refused when the clocks are more than 15 minutes apart, tokens are taken for expired, and samples count for the wrong window."),
    CodeRow::new(Code("D002"), "an operation is not allowed", "What cannot be seen holds the pools that depend on it, and an order that is refused changes nothing."),
    CodeRow::new(Code("D003"), "an operation does not work", "The account answered with an error of its own; what it tells is then missing from decisions."),
    CodeRow::new(Code("D004"), "answers are slow", "A look at a large account takes hundreds of requests, and must end before the next one is due."),
    CodeRow::new(Code("D101"), "a resize does not end", "A pool takes no other order while a resize is under way, so that it can neither grow nor shrink."),
    CodeRow::new(Code("D102"), "the latest resize fell short", "The pool has fewer nodes than it was told to have, and the service does not try again by itself."),
    CodeRow::new(Code("D103"), "a pool follows a formula of its own", "The service refuses orders for such a pool: it is decided for, and held."),
    CodeRow::new(Code("D104"), "a pool's own formula fails", "The service keeps the last targets for as long as the formula fails, whatever the queue does."),
    CodeRow::new(Code("D105"), "a pool uses something that is retired", "Nodes of such a pool may fail to start or may not be granted any more, at a time that nobody chose."),
    CodeRow::new(Code("D106"), "a pool stays below its target", "The pool is steady and has fewer nodes than its target: nobody is about to add the rest."),
    CodeRow::new(Code("D201"), "nodes never became usable", "They are paid for and run nothing, and the service replaces none of them."),
    CodeRow::new(Code("D202"), "nodes have been on their way for long", "They are paid for and run nothing yet; a start task that hangs looks the same."),
    CodeRow::new(Code("D203"), "spot nodes stay preempted", "The service tries to restore a preempted node in its first 48 hours only; after that it counts towards the target and never comes back."),
    CodeRow::new(Code("D204"), "nodes are out of contact", "A node in the state unknown is paid for, takes no task, and its tasks may run twice."),
    CodeRow::new(Code("D301"), "a policy speaks of no pool", "Nothing is decided by it: a name that is misspelt looks like a pool that is left alone."),
    CodeRow::new(Code("D302"), "a pool has no policy", "Nobody decides for it: its nodes stay as they are, and are paid for."),
    CodeRow::new(Code("D303"), "bounds allow more than the quota", "The service takes such an order, grants a part of it, and tells of the rest only afterwards."),
    CodeRow::new(Code("D304"), "spot is wanted where there is none", "Spot nodes are asked for and never come, and tasks wait for them as long as the policy says."),
    CodeRow::new(Code("D305"), "quotas promise more than there is", "Guarantees that add up to more than the account has cannot all be kept when every pool needs its own."),
    CodeRow::new(Code("D401"), "something ends soon", "From that moment on requests are refused, and what depends on them stands still."),
    CodeRow::new(Code("D402"), "something has ended", "Requests that rest on it are refused now."),
    CodeRow::new(Code("D403"), "something cannot be read", "Whether it ends soon cannot be told, and whoever needs it will not be able to read it either."),
];

/// Returns why a code matters.
pub(super) fn why(code: Code) -> &'static str {
    let row = CODES.iter().find(|row| row.code == code);
    row.expect("a code of this room has a row").why
}
