//! The shapes that requests come in: reads, and writes that may be conditional.

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::Call;
use super::retry::Repeat;
use super::transport::Reply;
use super::{Client, Fault};
use crate::account::Etag;

impl Client {
    /// Reads one thing.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let reply = self.call(Method::GET, path).await?;
        Self::read(&format!("GET {path}"), &reply)
    }

    /// Asks without a body; nothing changes, or the same twice.
    pub(super) async fn call(&self, method: Method, path: &str) -> Result<Reply, Fault> {
        self.ask(&Call {
            method,
            path: path.to_owned(),
            query: String::new(),
            body: None,
            if_match: None,
            repeat: Repeat::Safe,
        })
        .await
    }

    /// Posts; it is sent again only when it was certainly not taken.
    pub(super) async fn post<T: Serialize + ?Sized>(
        &self,
        path: &str,
        body: Option<&T>,
        only: Option<&Etag>,
    ) -> Result<Reply, Fault> {
        self.ask(&Call {
            method: Method::POST,
            path: path.to_owned(),
            query: String::new(),
            body: body.map(write),
            if_match: only.cloned(),
            repeat: Repeat::IfNotTaken,
        })
        .await
    }

    /// Changes what is named; twice is the same as once, unless it is bound to a version.
    pub(super) async fn patch<T: Serialize + ?Sized>(
        &self,
        path: &str,
        body: &T,
        only: Option<&Etag>,
    ) -> Result<(), Fault> {
        let call = Call {
            method: Method::PATCH,
            path: path.to_owned(),
            query: String::new(),
            body: Some(write(body)),
            if_match: only.cloned(),
            repeat: repeat(only),
        };
        self.ask(&call).await.map(drop)
    }

    /// Deletes.
    pub(super) async fn delete(&self, path: &str, only: Option<&Etag>) -> Result<(), Fault> {
        let call = Call {
            method: Method::DELETE,
            path: path.to_owned(),
            query: String::new(),
            body: None,
            if_match: only.cloned(),
            repeat: Repeat::IfNotTaken,
        };
        self.ask(&call).await.map(drop)
    }

    /// Reads the body of an answer.
    pub(super) fn read<T: DeserializeOwned>(request: &str, reply: &Reply) -> Result<T, Fault> {
        serde_json::from_slice(&reply.body).map_err(|error| Fault::Unreadable {
            request: request.to_owned(),
            why: error.to_string(),
        })
    }
}

/// A change that is bound to a version and was taken would be refused the second time, and look as if it had not been.
fn repeat(only: Option<&Etag>) -> Repeat {
    match only {
        None => Repeat::Safe,
        Some(_) => Repeat::IfNotTaken,
    }
}

fn write<T: Serialize + ?Sized>(body: &T) -> Vec<u8> {
    serde_json::to_vec(body).expect("a body has text for keys and numbers that are finite")
}
