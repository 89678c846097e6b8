//! What cannot be meant in a part of a policy, said by the part itself.

/// A fault of a part of a policy that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Keys, and numbers in lists, from the part to what is wrong.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// A way out.
    pub help: String,
}

impl Complaint {
    /// Returns a complaint about what stands at a path.
    pub fn new(path: &[&str], message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// Returns the complaint as it is told by the part that this part belongs to.
    #[must_use]
    pub(super) fn below(mut self, path: &[&str]) -> Self {
        let above = path.iter().map(|key| (*key).to_owned());
        self.path = above.chain(self.path).collect();
        self
    }
}
