//! What may go wrong between a client and a server that sends: where in the conversation, and how.

use std::time::Duration;

/// Where the conversation is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Step {
    /// The connection is there, and nothing was said.
    Banner,
    /// The first EHLO.
    Hello,
    /// Another EHLO.
    HelloAgain,
    /// A line of a login.
    Login,
    Mail,
    Recipient,
    Data,
    /// Inside the mail: asked once for each, before its first byte was read.
    Body,
    /// The lonely dot.
    Dot,
    Reset,
    Noop,
    Quit,
}

/// Every step, in the order of the conversation.
pub(crate) const STEPS: [Step; 12] = [
    Step::Banner,
    Step::Hello,
    Step::HelloAgain,
    Step::Login,
    Step::Mail,
    Step::Recipient,
    Step::Data,
    Step::Body,
    Step::Dot,
    Step::Reset,
    Step::Noop,
    Step::Quit,
];

/// How it goes wrong.
#[derive(Clone, Debug, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// The connection ends; what was said was not heard. In a mail: after so many bytes of it.
    CutUnheard(usize),
    /// What was asked is done, and the connection ends without an answer.
    CutUnanswered,
    /// What was asked is done, and half of the answer comes.
    CutWithinAnswer,
    /// The connection ends behind the answer.
    CutAnswered,
    /// This is answered, and nothing is done.
    Says(String),
    /// The same, and the connection ends.
    SaysAndCloses(String),
    /// Nothing is done, and nothing is ever said again, but the connection stays.
    SilentUnheard,
    /// The same, when what was asked has been done.
    SilentUnanswered,
    /// Done and answered, after this long.
    Slow(Duration),
    /// The client's process is ended here, by what the story gave; see [`When`].
    Does(When, std::sync::Arc<dyn Act>),
}

/// What a story does at a step.
pub(crate) trait Act: Send + Sync + std::fmt::Debug {
    fn act(&self);
}

/// At which moment of a step something is done.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum When {
    /// Before what was asked is done; it never is.
    Unheard,
    /// When it was done, before the answer.
    Unanswered,
    /// Behind the answer.
    Answered,
}

/// Says what goes wrong at a step of a connection, which are counted from one.
pub(crate) type Troubles = Box<dyn FnMut(usize, Step) -> Trouble + Send>;
