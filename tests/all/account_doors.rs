//! The outside of a local account, spoken to over real sockets: who is let in, what is refused, what breaks.

mod doors;
mod outside;
mod services;
mod wire;
