//! What the door asks of those behind it. The daemon answers, with the store and the rules.

use std::future::Future;
use std::net::IpAddr;

use super::session::{Answer, Checked, Envelope, Judged};
use crate::config::Secret;
use crate::desk::roster::AgentId;

/// Who answers the questions of a conversation.
pub trait Clerk: Send + Sync + 'static {
    /// Who this is. Takes its time over a wrong password, so that guessing is slow.
    fn check(
        &self,
        user: String,
        password: Secret,
        peer: IpAddr,
    ) -> impl Future<Output = Checked> + Send;

    /// Whether the agent may write as this address; it is empty for the null path.
    fn may_send_as(&self, agent: AgentId, address: String) -> impl Future<Output = Judged> + Send;

    /// Whether the agent may write to this address.
    fn may_send_to(&self, agent: AgentId, address: String) -> impl Future<Output = Judged> + Send;

    /// Keeps a message. Whoever answers [`Answer::Kept`] or [`Answer::Held`] has made it durable before. It is finished even
    /// if the client has gone meanwhile.
    fn keep(
        &self,
        agent: AgentId,
        envelope: Envelope,
        raw: Vec<u8>,
    ) -> impl Future<Output = Answer> + Send;
}
