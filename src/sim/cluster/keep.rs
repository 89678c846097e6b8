//! What is left of a task's work when it loses its node.

use super::queue::Past;
use crate::base::Span;
use crate::market::Checkpoint;

/// Returns how long a task of some run time holds its slots if it starts now and is not stopped: what is left of its work,
/// the saves on the way, and the load of the last one if it has saved before.
pub(super) fn time_to_end(run: Span, past: Past, checkpoint: Option<Checkpoint>) -> Span {
    let left = run - past.kept;
    let Some(Checkpoint { every, cost, restart }) = checkpoint else {
        return left;
    };
    // The last stretch ends with the task and is not saved.
    let n_saves = (left.ticks() - 1).max(0) / every.ticks();
    left + cost * n_saves + load(past, restart)
}

/// Returns what a task has behind it when it loses its node after a time, and what of that time was for nothing.
pub(super) fn after_loss(elapsed: Span, past: Past, checkpoint: Option<Checkpoint>) -> (Past, Span) {
    let Some(Checkpoint { every, cost, restart }) = checkpoint else {
        let (ran, lost) = (past.ran.max(elapsed), past.lost.and(elapsed));
        return (Past { ran, lost, ..past }, elapsed);
    };
    let worked = (elapsed - load(past, restart)).max(Span::ZERO);
    let n_saves = worked.ticks() / (every + cost).ticks();
    let unsaved = worked - (every + cost) * n_saves;
    let kept = past.kept + every * n_saves;
    let after = Past {
        ran: past.ran.max(kept + unsaved.min(every)),
        lost: past.lost.and(elapsed),
        kept,
    };
    (after, elapsed - (every + cost) * n_saves)
}

fn load(past: Past, restart: Span) -> Span {
    if past.kept > Span::ZERO {
        restart
    } else {
        Span::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_kept_in_whole_stretches_and_saves_take_time() {
        let checkpoint = Some(Checkpoint {
            every: Span::minutes(10),
            cost: Span::minutes(1),
            restart: Span::minutes(2),
        });
        let new = Past::default();
        let minutes = Span::minutes;
        // 25 minutes are saved twice, 20 minutes once: the end needs no save.
        assert_eq!(time_to_end(minutes(25), new, checkpoint), minutes(27));
        assert_eq!(time_to_end(minutes(20), new, checkpoint), minutes(21));
        assert_eq!(time_to_end(minutes(25), new, None), minutes(25));
        // After 24 minutes two stretches of 11 are done and 2 minutes are lost.
        let (past, lost) = after_loss(minutes(24), new, checkpoint);
        assert_eq!(
            (past.kept, past.ran, lost),
            (minutes(20), minutes(22), minutes(2))
        );
        // 2 minutes to load, 5 to work.
        assert_eq!(time_to_end(minutes(25), past, checkpoint), minutes(7));
        // Lost while it loads: nothing gained, nothing more lost than that minute.
        let (past, lost) = after_loss(minutes(1), past, checkpoint);
        assert_eq!((past.kept, lost), (minutes(20), minutes(1)));
        assert_eq!((past.lost.count, past.lost.in_all), (2, minutes(25)));
        let (past, lost) = after_loss(minutes(24), new, None);
        assert_eq!(
            (past.kept, past.ran, lost),
            (Span::ZERO, minutes(24), minutes(24))
        );
    }
}
