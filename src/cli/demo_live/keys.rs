//! What keys mean in the live demo.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// To end it.
    Quit,
    /// To pause the chosen pool, or let it go on.
    Pause,
    /// To have all spot machines taken away.
    Storm,
    /// To choose the pool below.
    Down,
    /// To choose the pool above.
    Up,
    /// To see the decision step by step, or no longer.
    Explain,
}

/// Returns what a key means.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    // Some terminals tell when a key is let go as well.
    if key.kind == KeyEventKind::Release {
        return None;
    }
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Action::Quit,
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Char(' ') => Action::Pause,
        KeyCode::Char('s') => Action::Storm,
        KeyCode::Down | KeyCode::Char('j') | KeyCode::Tab => Action::Down,
        KeyCode::Up | KeyCode::Char('k') => Action::Up,
        KeyCode::Enter | KeyCode::Esc => Action::Explain,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_last_line_says() {
        for (code, expected) in [
            (KeyCode::Char('q'), Some(Action::Quit)),
            (KeyCode::Char(' '), Some(Action::Pause)),
            (KeyCode::Char('s'), Some(Action::Storm)),
            (KeyCode::Down, Some(Action::Down)),
            (KeyCode::Up, Some(Action::Up)),
            (KeyCode::Enter, Some(Action::Explain)),
            (KeyCode::Char('x'), None),
        ] {
            assert_eq!(
                action(KeyEvent::new(code, KeyModifiers::NONE)),
                expected,
                "{code:?}"
            );
        }
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(interrupt), Some(Action::Quit));
    }
}
